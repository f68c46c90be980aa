import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.content.films import ffmpeg, scene, write_film
from vidrec_tasks.content.gamut import PatchedFile, Source, source_of, to_screen
from vidrec_tasks.content.grabbing import Limits, grab
from vidrec_tasks.content.packets import scan


def header(primaries: int, transfer: int, *, before: str = "0110010") -> bytes:
    """A codec header that declares its colours after an odd number of bits."""
    declared = "1" + "101" + "0" + "1" + "".join(f"{v:08b}" for v in (primaries, transfer, 9))
    bits = before + declared + "0" * 15
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


@pytest.mark.parametrize("before", ["", "1", "0110010", "0" * 40])
def test_wide_colours_are_found_at_any_bit_and_hidden(tmp_path: Path, before: str) -> None:
    wide = header(9, 16, before=before)
    path = tmp_path / "film"
    path.write_bytes(b"x" * 1_000 + wide + b"colrnclx\0\x09\0\x10\0\x09" + b"y" * 500)
    source = source_of(path, wide)
    assert (source.primaries, source.transfer) == (9, 16)
    read = PatchedFile(source).read()
    assert header(1, 1, before=before) in read
    assert b"colrnclx\0\x01\0\x01\0\x09" in read
    assert len(read) == path.stat().st_size


@pytest.mark.parametrize("primaries", [1, 2, 5, 6])
def test_usual_colours_are_left_alone(tmp_path: Path, primaries: int) -> None:
    path = tmp_path / "film"
    path.write_bytes(header(primaries, 1))
    assert source_of(path, header(primaries, 1)) == Source(path)


def test_a_header_that_is_not_in_the_file_hides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(b"something else")
    assert source_of(path, header(9, 16)) == Source(path)


@given(begin=st.integers(0, 30), size=st.integers(0, 30), place=st.integers(0, 25))
def test_patches_lie_where_they_belong_however_it_is_read(
    tmp_path_factory: pytest.TempPathFactory, begin: int, size: int, place: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes"
    path.write_bytes(bytes(range(30)))
    whole = bytearray(range(30))
    whole[place : place + 4] = b"abcd"
    whole = whole[:30]
    with PatchedFile(Source(path, ((place, b"abcd"),))) as file:
        file.seek(begin)
        assert file.read(size) == bytes(whole[begin : begin + size])


@pytest.mark.parametrize("transfer", [1, 16, 18])
@pytest.mark.parametrize("primaries", [9, 12])
def test_grey_stays_grey_and_brighter_stays_brighter(primaries: int, transfer: int) -> None:
    ramp = np.repeat(np.arange(0, 256, 5, dtype=np.uint8)[None, :, None], 3, axis=2)
    shown = to_screen(ramp, Source(Path(), ((0, b""),), primaries, transfer)).astype(int)
    assert np.ptp(shown, axis=2).max() <= 2
    assert (np.diff(shown[0, :, 1]) >= 0).all()
    assert shown.max() > 200


def test_a_white_page_in_hdr_is_bright_on_the_screen() -> None:
    page = np.full((2, 2, 3), 148, dtype=np.uint8)  # 203 nits in PQ
    assert 150 < to_screen(page, Source(Path(), ((0, b""),), 9, 16)).mean() < 230


def test_a_wide_film_keeps_its_colours_without_the_scalers_table(tmp_path: Path) -> None:
    plain, wide = tmp_path / "plain.avi", tmp_path / "wide.mp4"
    write_film(plain, [scene(3)] * 20, codec="MJPG")
    ffmpeg("-i", str(plain), "-pix_fmt", "yuv420p", "-c:v", "libx264", "-x264-params",
           "colorprim=smpte432:transfer=bt709:colormatrix=bt709", str(wide))  # fmt: skip
    limits = Limits(10**8, 10**10, time.monotonic() + 60)
    packets = scan(wide, n_intra=10, max_pixels=10**8, pixel_budget=10**10)
    assert source_of(wide, packets.header).primaries == 12
    shown = grab(wide, n_wanted=8, mode="intra", limits=limits).images[0].astype(int)
    greys = shown.mean(axis=2), scene(3).mean(axis=2)
    assert np.corrcoef(greys[0].ravel(), greys[1].ravel())[0, 1] > 0.97
