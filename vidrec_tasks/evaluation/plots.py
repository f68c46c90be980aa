"""Plots: small charts as inline SVG, without a script or an outside host.

Colours come from the page (classes ``line``, ``band``, ``bar`` …), so they follow its theme.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 28
BAR_HEIGHT, LABEL_WIDTH, VALUE_WIDTH = 26, 190, 74


@dataclass(frozen=True)
class Point:
    """One point of a line: what stands under it, its value, and the interval if there is one."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None


def line_chart(points: Sequence[Point], *, name: str) -> Markup:
    """A line over labels (nights), with the band of the intervals behind it."""
    points = [point for point in points if math.isfinite(point.value)]
    if not points:
        return Markup("")
    lows = [point.value if point.low is None else point.low for point in points]
    highs = [point.value if point.high is None else point.high for point in points]
    scale = _Scale.over([*lows, *highs])
    xs = _spread(len(points))
    parts = [_grid(scale), _band(xs, lows, highs, scale), _line(xs, points, scale)]
    parts += [_dot(x, point, scale) for x, point in zip(xs, points, strict=True)]
    parts += _under(xs, [point.label for point in points])
    return _svg(parts, name=name)


def bar_chart(bars: Sequence[tuple[str, float]], *, name: str, unit: str = "") -> Markup:
    """Horizontal bars, one a row, each with its number."""
    bars = [(label, value) for label, value in bars if math.isfinite(value)]
    if not bars:
        return Markup("")
    largest = max(max(value for _, value in bars), 1e-12)
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    parts = []
    for row, (label, value) in enumerate(bars):
        y = row * BAR_HEIGHT
        width = max(round(room * max(value, 0) / largest, 1), 1)
        parts.append(
            Markup(
                '<text class="label" x="{}" y="{}" text-anchor="end">{}</text>'
                '<rect class="bar" x="{}" y="{}" width="{}" height="16" rx="2"/>'
                '<text class="value" x="{}" y="{}">{}</text>'
            ).format(
                LABEL_WIDTH - 8,
                y + 17,
                _short(label),
                LABEL_WIDTH,
                y + 5,
                width,
                LABEL_WIDTH + width + 6,
                y + 17,
                f"{_number(value)}{unit}",
            )
        )
    return _svg(parts, name=name, height=len(bars) * BAR_HEIGHT)


def histogram(values: Sequence[float], *, name: str, n_bins: int = 24) -> Markup:
    """How often values fall into bins of equal width."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return Markup("")
    low, high = min(finite), max(finite)
    width = (high - low) / n_bins or 1.0
    counts = [0] * n_bins
    for value in finite:
        counts[min(int((value - low) / width), n_bins - 1)] += 1
    scale = _Scale.over([0, max(counts)])
    step = (WIDTH - LEFT - RIGHT) / n_bins
    parts = [_grid(scale)]
    for bin_num, count in enumerate(counts):
        top = scale.y(count)
        parts.append(
            Markup(
                '<rect class="bar" x="{}" y="{}" width="{}" height="{}">'
                "<title>{} to {}: {:,}</title></rect>"
            ).format(
                _fixed(LEFT + bin_num * step + 1),
                _fixed(top),
                _fixed(step - 2),
                _fixed(HEIGHT - BOTTOM - top),
                _number(low + bin_num * width),
                _number(low + (bin_num + 1) * width),
                count,
            )
        )
    parts += _under([LEFT, WIDTH - RIGHT], [_number(low), _number(high)])
    return _svg(parts, name=name)


def share_curve(counts: Sequence[float], *, name: str, beside: Sequence[float] = ()) -> Markup:
    """A Lorenz curve: the share of all showings that the most shown videos take together.

    Args:
        counts: how often each video is shown, in any order; videos never shown count too.
        name: what a screen reader says.
        beside: how often each video is watched, for a second curve to compare with.
    """
    if not sum(counts):
        return Markup("")
    scale = _Scale(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))
    even = f"{LEFT},{_fixed(scale.y(0))} {WIDTH - RIGHT},{_fixed(scale.y(1))}"
    parts = [_grid(scale), Markup('<polyline class="even" points="{}"/>').format(even)]
    if sum(beside):
        parts.append(_shares(beside, scale, "beside"))
    parts += [
        _shares(counts, scale, "line"),
        *_under([LEFT, WIDTH - RIGHT], ["0", f"all {len(counts):,} videos"]),
    ]
    return _svg(parts, name=name)


def _shares(counts: Sequence[float], scale: "_Scale", kind: str) -> Markup:
    """The curve of the shares that the largest counts take together."""
    total, shares, running = sum(counts), [0.0], 0.0
    for count in sorted(counts, reverse=True):
        running += count
        shares.append(running / total)
    keep = _thin(len(shares), 200)
    room = WIDTH - LEFT - RIGHT
    xs = [LEFT + room * num / (len(shares) - 1) for num in keep]
    path = " ".join(
        f"{_fixed(x)},{_fixed(scale.y(shares[num]))}" for x, num in zip(xs, keep, strict=True)
    )
    return Markup('<polyline class="{}" points="{}"/>').format(kind, path)


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float
    ticks: tuple[float, ...]

    @classmethod
    def over(cls, values: Sequence[float]) -> "_Scale":
        """A scale of round ticks that holds the values."""
        low, high = min(values), max(values)
        if low >= 0 and low < 0.6 * high:
            low = 0.0  # a line near the floor looks dramatic on a cut axis
        if high - low < 1e-12:
            low, high = low - abs(low) * 0.1 - 1e-6, high + abs(high) * 0.1 + 1e-6
        step = _round_step((high - low) / 4)
        first, last = math.floor(low / step), math.ceil(high / step)
        ticks = tuple(num * step for num in range(first, last + 1))
        return cls(ticks[0], ticks[-1], ticks)

    def y(self, value: float) -> float:
        """Where a value stands, in pixels from the top."""
        share = (value - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(step for step in (1, 2, 2.5, 5, 10) if rough <= step * power * 1.0001)


def _grid(scale: _Scale) -> Markup:
    lines = [
        Markup(
            '<line class="grid" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>'
            '<text class="tick" x="{3}" y="{4}" text-anchor="end">{5}</text>'
        ).format(
            LEFT,
            WIDTH - RIGHT,
            _fixed(scale.y(tick)),
            LEFT - 6,
            _fixed(scale.y(tick) + 4),
            _number(tick),
        )
        for tick in scale.ticks
    ]
    return Markup("").join(lines)


def _band(
    xs: Sequence[float], lows: Sequence[float], highs: Sequence[float], scale: _Scale
) -> Markup:
    if list(lows) == list(highs):
        return Markup("")
    if len(xs) == 1:
        return Markup('<line class="whisker" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
            _fixed(xs[0]), _fixed(scale.y(lows[0])), _fixed(scale.y(highs[0]))
        )
    there = [f"{_fixed(x)},{_fixed(scale.y(high))}" for x, high in zip(xs, highs, strict=True)]
    back = [f"{_fixed(x)},{_fixed(scale.y(low))}" for x, low in zip(xs, lows, strict=True)]
    return Markup('<polygon class="band" points="{}"/>').format(" ".join([*there, *reversed(back)]))


def _line(xs: Sequence[float], points: Sequence[Point], scale: _Scale) -> Markup:
    path = " ".join(
        f"{_fixed(x)},{_fixed(scale.y(point.value))}" for x, point in zip(xs, points, strict=True)
    )
    return Markup('<polyline class="line" points="{}"/>').format(path)


def _dot(x: float, point: Point, scale: _Scale) -> Markup:
    said = f"{point.label}: {_number(point.value)}"
    if point.low is not None and point.high is not None:
        said += f" ({_number(point.low)} to {_number(point.high)})"
    return Markup('<circle class="dot" cx="{}" cy="{}" r="4"><title>{}</title></circle>').format(
        _fixed(x), _fixed(scale.y(point.value)), said
    )


def _under(xs: Sequence[float], labels: Sequence[str]) -> list[Markup]:
    """Labels under the axis: at most six, the first and the last among them."""
    keep = _thin(len(labels), 6)
    texts = []
    for num in keep:
        is_first, is_last = num == 0 and len(labels) > 1, num == len(labels) - 1 and num > 0
        anchor = "start" if is_first else "end" if is_last else "middle"
        texts.append(
            Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>').format(
                _fixed(xs[num]), HEIGHT - 8, anchor, labels[num]
            )
        )
    return texts


def _spread(n: int) -> list[float]:
    room = WIDTH - LEFT - RIGHT
    return [LEFT + room / 2] if n == 1 else [LEFT + room * num / (n - 1) for num in range(n)]


def _thin(n: int, most: int) -> list[int]:
    """At most so many of the numbers below n, evenly, with the first and the last."""
    if n <= most:
        return list(range(n))
    return sorted({round(num * (n - 1) / (most - 1)) for num in range(most)})


def _svg(parts: Sequence[Markup], *, name: str, height: int = HEIGHT) -> Markup:
    head = Markup(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">'
    ).format(WIDTH, height, name)  # fmt: skip
    return head + Markup("").join(parts) + Markup("</svg>")


def _fixed(value: float) -> str:
    return f"{value:.1f}"


def _number(value: float) -> str:
    """A number as short as it can be said without loss of sense."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"


def _short(label: str, most: int = 26) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"
