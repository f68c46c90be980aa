import time
from pathlib import Path

import numpy as np
import pytest

from tests.content.films import drifting, ffmpeg, scene, write_film
from vidrec_tasks.content.decoding import grabbing
from vidrec_tasks.content.decoding.containers import OpeningError, open_film
from vidrec_tasks.content.decoding.grabbing import Candidates, Limits
from vidrec_tasks.content.decoding.surveying import Survey, survey
from vidrec_tasks.errors import MediaError

MANY_PIXELS = 10**12


def limits(**changes: int) -> Limits:
    values = {"max_pixels": 10**8, "pixel_budget": MANY_PIXELS, **changes}
    return Limits(deadline=time.process_time() + 60, **values)


def grab(path: Path, *, n_wanted: int, mode: str, limits: Limits) -> Candidates:
    with path.open("rb", buffering=0) as file:
        return grabbing.grab(file, n_wanted=n_wanted, mode=mode, limits=limits)


def surveyed(path: Path, **options: object) -> Survey:
    with path.open("rb", buffering=0) as file, open_film(file, max_pixels=10**8) as film:
        return survey(film, limit=48, **options)


def ramp(n: int) -> list[np.ndarray]:
    """Frames that grow brighter by 2 with each: the grey value says which frame it is."""
    return [np.full((48, 64, 3), 10 + 2 * number, dtype=np.uint8) for number in range(n)]


def test_thinning_keeps_frames_evenly_and_few() -> None:
    found = Candidates(limit=10)
    for number in range(1_000):
        if found.wants_next():
            found.add(scene(1), float(number))
    assert len(found.times) <= 11
    assert set(np.diff(found.times)) == {found.stride}


def test_each_frame_comes_with_its_own_time(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", ramp(100), fps=10)
    found = grab(film, n_wanted=8, mode="intra", limits=limits())
    shown = [(float(image.mean()) - 10) / 20 for image in found.images]
    assert found.times == sorted(set(found.times))
    assert found.times == pytest.approx(shown, abs=0.25)  # a frame in four is kept


def test_a_film_with_many_intra_frames_is_decoded_by_them_alone(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", drifting(1, 300), fps=25)  # a key frame every 12
    assert surveyed(film).n_keys == 25
    found = grab(film, n_wanted=8, mode="intra", limits=limits())
    assert {round(at_s * 25) % 12 for at_s in found.times} == {0}


def test_a_film_with_few_intra_frames_is_read_in_strides(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", drifting(1, 60), fps=25)
    found = grab(film, n_wanted=8, mode="intra", limits=limits())
    assert len(found.images) >= 25


def test_of_a_film_of_key_frames_only_a_few_are_decoded(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.avi", drifting(1, 300), fps=25, codec="MJPG")
    found = grab(film, n_wanted=8, mode="intra", limits=limits())
    assert surveyed(film).n_keys == 300
    assert 25 <= len(found.images) <= 60
    assert found.times[-1] > 11


def test_a_large_film_is_leapt_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidrec_tasks.content.decoding.surveying.SCANNED", 1_000)
    film = write_film(tmp_path / "film.avi", ramp(110), fps=5, codec="MJPG")
    found = grab(film, n_wanted=8, mode="intra", limits=limits())
    assert len(found.images) >= 40
    assert found.times[-1] > 20  # of 22 s
    shown = [(float(image.mean()) - 10) / 10 for image in found.images]
    assert found.times == pytest.approx(shown, abs=0.15)


def test_what_is_seen_from_nearer_in_a_large_film_has_the_seconds_of_the_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrec_tasks.content.decoding.surveying.SCANNED", 1_000)
    film = write_film(tmp_path / "film.avi", ramp(110), fps=5, codec="MJPG")
    with film.open("rb", buffering=0) as file, open_film(file, max_pixels=10**8) as opened:
        nearer = survey(opened, limit=8, within=[(10.0, 14.0)])
    assert nearer.times == pytest.approx([10, 10.5, 11, 11.5, 12, 12.5, 13, 13.5], abs=0.3)


def test_a_budget_ends_the_reading_at_the_same_frame_each_time(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", drifting(1, 90), fps=25)
    few = limits(pixel_budget=160 * 90 * 30)
    first = grab(film, n_wanted=20, mode="intra", limits=few)
    again = grab(film, n_wanted=20, mode="intra", limits=few)
    assert first.times == again.times
    assert first.times[-1] > 3  # the intra frames cover what the budget does not


def test_a_deadline_that_has_passed_gives_nothing_but_no_error(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", drifting(1, 60))
    late = Limits(max_pixels=10**8, pixel_budget=MANY_PIXELS, deadline=time.process_time() - 1)
    assert grab(film, n_wanted=8, mode="intra", limits=late).images == []


def test_frames_that_are_too_large_are_refused_before_decoding(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", drifting(1, 30))
    with pytest.raises(MediaError, match="too large \\(160 × 90, at most 1,000 pixels\\)"):
        grab(film, n_wanted=8, mode="intra", limits=limits(max_pixels=1_000))


def test_thumbnails_keep_their_shape_and_small_frames_their_size(tmp_path: Path) -> None:
    wide = write_film(tmp_path / "wide.mp4", drifting(1, 20, size=(640, 200)))
    small = write_film(tmp_path / "small.mp4", drifting(1, 20, size=(64, 48)))
    shapes = [
        grab(film, n_wanted=8, mode="intra", limits=limits()).images[0].shape
        for film in (wide, small)
    ]
    assert shapes == [(100, 320, 3), (48, 64, 3)]


def test_scene_mode_sees_a_scene_that_no_intra_frame_shows(tmp_path: Path) -> None:
    images = [scene(1)] * 100 + [scene(2)] * 6 + [scene(1)] * 100
    film = write_film(tmp_path / "film.mp4", images, fps=25)
    found = grab(film, n_wanted=8, mode="scene", limits=limits(max_candidates=240))
    greys = [float(np.abs(image.astype(int) - scene(2)).mean()) for image in found.images]
    assert min(greys) < 10


def test_a_playlist_that_names_another_file_opens_nothing(tmp_path: Path) -> None:
    write_film(tmp_path / "secret.mp4", drifting(1, 20))
    playlist = tmp_path / "film.mp4"
    playlist.write_text("ffconcat version 1.0\nfile secret.mp4\n")
    with pytest.raises(OpeningError, match="concat"):
        grab(playlist, n_wanted=8, mode="intra", limits=limits())
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nsecret.mp4\n")
    with pytest.raises(OpeningError):
        grab(playlist, n_wanted=8, mode="intra", limits=limits())


def test_a_name_full_of_signs_is_only_a_name(tmp_path: Path) -> None:
    film = write_film(tmp_path / "plain.mp4", drifting(1, 20))
    strange = film.rename(tmp_path / "-%03d:con*cat?|[é].mp4")
    assert grab(strange, n_wanted=8, mode="intra", limits=limits()).images


def test_long_gop_h264_is_covered_to_its_end_by_intra_frames(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    source = "testsrc2=size=160x90:rate=25:duration=60"
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "ultrafast",
           "-g", "125", "-keyint_min", "125", "-sc_threshold", "0", str(film))  # fmt: skip
    found = grab(film, n_wanted=8, mode="intra", limits=limits())
    assert found.times == pytest.approx([5 * number for number in range(12)])


def test_times_of_a_variable_frame_rate_are_those_of_the_container(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    slowing = "testsrc2=size=160x90:rate=25:duration=4,settb=1/10000,setpts=N*N/250/TB"
    ffmpeg("-f", "lavfi", "-i", slowing, "-fps_mode", "vfr", "-enc_time_base", "-1",
           "-video_track_timescale", "10000", "-c:v", "libx264", "-preset", "ultrafast",
           str(film))  # fmt: skip
    found = grab(film, n_wanted=8, mode="intra", limits=limits())
    true = [number * number / 250 for number in range(100)]
    assert all(min(abs(at_s - moment) for moment in true) < 0.001 for at_s in found.times)
    assert found.times[-1] > 30


@pytest.mark.parametrize(("angle", "shape"), [(90, (320, 180)), (180, (180, 320))])
def test_rotation_is_applied(tmp_path: Path, angle: int, shape: tuple[int, int]) -> None:
    images = drifting(1, 20, size=(320, 180))
    upright = write_film(tmp_path / "upright.mp4", images)
    turned = tmp_path / "turned.mp4"
    rotate = f"rotate={angle}"
    ffmpeg("-i", str(upright), "-c", "copy", "-metadata:s:v", rotate, str(turned))
    found = grab(turned, n_wanted=8, mode="intra", limits=limits())
    assert found.images[0].shape[:2] == shape
    back = np.rot90(found.images[0], -angle // 90)
    assert float(np.abs(back.astype(int) - images[0]).mean()) < 12
