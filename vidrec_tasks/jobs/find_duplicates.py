"""find_duplicates: group the videos that show the same film; one of each group is canonical."""

from vidrec_tasks.columns import CHECKSUM, IS_CANONICAL, VIDEO_ID
from vidrec_tasks.content.duplicates import find_duplicates as group
from vidrec_tasks.running.job import Context, Made, job


@job()
def find_duplicates(context: Context) -> Made:
    """Compare the catalogue's films by their keyframes and embeddings."""
    videos = context.read_table("videos")
    media = context.read_tables("keyframes", "media")
    checksums = media.drop_duplicates(VIDEO_ID).set_index(VIDEO_ID)[CHECKSUM].astype(str)
    own = checksums.reindex(videos[VIDEO_ID], fill_value="")  # a catalogue may have no media at all
    duplicates = group(
        videos.assign(**{CHECKSUM: own.to_numpy()}),
        context.read_tables("keyframes"),
        context.read_tables("embeddings", "frame_table"),
        context.read_arrays("embeddings", "frame_vectors"),
        context.settings.content,
    )
    counts = {
        "videos": len(videos),
        "in_groups": len(duplicates),
        "groups": int(duplicates[IS_CANONICAL].sum()),
    }
    return Made({"duplicates": {"table": duplicates}}, counts)
