import math
import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from vidrec_tasks.evaluation.plots import Point, bar_chart, histogram, line_chart, share_curve

numbers = st.floats(-1e9, 1e9, allow_nan=False)


def points_of(svg: str, kind: str) -> list[list[float]]:
    found = re.search(rf'class="{kind}" points="([^"]*)"', svg)
    assert found is not None
    return [[float(number) for number in pair.split(",")] for pair in found[1].split()]


def test_a_higher_value_stands_higher() -> None:
    svg = line_chart([Point("a", 0.1), Point("b", 0.3), Point("c", 0.2)], name="n")
    heights = [y for _, y in points_of(svg, "line")]
    assert heights[1] < heights[2] < heights[0]


def test_the_band_is_the_intervals() -> None:
    svg = line_chart([Point("a", 1.0, 0.5, 1.5), Point("b", 1.0, 0.8, 1.2)], name="n")
    (_, high_a), (_, high_b), (_, low_b), (_, low_a) = points_of(svg, "band")
    assert high_a < high_b < low_b < low_a


def test_one_night_has_its_interval_too() -> None:
    assert 'class="whisker"' in line_chart([Point("a", 1.0, 0.5, 1.5)], name="n")


def test_nothing_to_draw_is_nothing() -> None:
    assert line_chart([], name="n") == ""
    assert line_chart([Point("a", math.nan)], name="n") == ""
    assert bar_chart([], name="n") == ""
    assert histogram([], name="n") == ""
    assert share_curve([0, 0], name="n") == ""


def test_labels_are_text() -> None:
    hostile = '<script>"&'
    assert "<script>" not in bar_chart([(hostile, 1.0)], name=hostile)
    assert "<script>" not in line_chart([Point(hostile, 1.0)], name=hostile)


def test_a_few_videos_that_take_all_bend_the_curve() -> None:
    even = points_of(share_curve([1] * 10, name="n"), "line")
    bent = points_of(share_curve([10] + [0] * 9, name="n"), "line")
    assert bent[1][1] < even[1][1]
    assert bent[-1] == even[-1]


def test_every_value_is_in_one_bin() -> None:
    svg = histogram([0.0, 0.1, 0.1, 1.0], name="n", n_bins=2)
    counts = re.findall(r"<title>.*?: (\d+)</title>", svg)
    assert counts == ["3", "1"]


@given(st.lists(numbers, min_size=1, max_size=40))
def test_every_chart_is_well_formed_and_inside_its_frame(values: list[float]) -> None:
    charts = [
        line_chart([Point(str(v), v, v - 1, v + 1) for v in values], name="n"),
        bar_chart([(str(v), v) for v in values], name="n"),
        histogram(values, name="n"),
        share_curve([abs(v) for v in values], name="n"),
    ]
    for svg in filter(None, charts):
        root = ElementTree.fromstring(svg)
        _, _, width, height = (float(part) for part in root.attrib["viewBox"].split())
        for circle in root.iter("circle"):
            assert 0 <= float(circle.attrib["cx"]) <= width
            assert 0 <= float(circle.attrib["cy"]) <= height
        for rect in root.iter("rect"):
            assert float(rect.attrib["width"]) >= 0
            assert float(rect.attrib["x"]) + float(rect.attrib["width"]) <= width + 0.2
