from vidrec_tasks.evaluation.funnel import funnel_charts, funnel_of


def receipt(job: str, **counts: int | str) -> dict[str, object]:
    return {"job": job, "shard": "", "counts": counts}


def test_shards_are_summed_and_what_is_not_counted_is_absent() -> None:
    receipts = [
        receipt("validate_inputs", videos_read=9, videos_accepted=8),
        receipt("extract_keyframes", with_media=3, quarantined=1, note="text"),
        receipt("extract_keyframes", with_media=2, quarantined=0),
    ]
    assert funnel_of(receipts) == {
        "videos": [
            ("read", 9),
            ("in the catalogue", 8),
            ("with a video file", 5),
            ("in quarantine", 1),
        ]
    }


def test_a_run_without_receipts_has_no_funnel() -> None:
    assert funnel_of([]) == {}


def test_every_part_is_a_chart_that_says_its_name() -> None:
    ((of, chart),) = funnel_charts({"users": [("known", 4)]})
    assert of == "users"
    assert 'aria-label="Funnel of users"' in chart
