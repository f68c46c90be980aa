"""Caption files as people and platforms write them, and those that end in a reason."""

import pytest

from vidrec_tasks.content.texts.captions import MAX_CUES, CaptionError, read_captions
from vidrec_tasks.content.texts.passages import MAX_CHARS, MAX_CUE_CHARS, group

VTT = """WEBVTT
Kind: captions

STYLE
::cue { color: red }

NOTE a note is not said

1
00:00:01.000 --> 00:00:03.500 align:start position:0%
<v Anna>A <c.yellow>cortado</c> &amp; milk

00:05.000 --> 00:07.000
[Music]

00:00:08.000 --> 00:00:10.000
♪ la la ♪ then we pour
"""
SRT = """1
00:00:01,000 --> 00:00:02,000
<i>First</i> line
second line

2
00:00:05,000 --> 00:00:03,000
it ends before it begins
"""
ASS = """[Script Info]
ScriptType: v4.00+

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\i1}Hey{\\i0}\\Nyou
Comment: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,not shown
"""
ROLLING = """WEBVTT

00:00:00.000 --> 00:00:02.000
so today we

00:00:02.000 --> 00:00:04.000
so today we
bake a loaf

00:00:04.000 --> 00:00:06.000
bake a loaf
of rye<00:00:05.000><c> bread</c>
"""


def cues(text: str | bytes, name: str = "film.vtt", **more: float) -> list[tuple[float, str]]:
    data = text if isinstance(text, bytes) else text.encode()
    return [(cue.at_s, cue.text) for cue in read_captions(data, name, **more)]


def reason(data: bytes, name: str = "film.srt", **more: float) -> str:
    with pytest.raises(CaptionError) as error:
        read_captions(data, name, **more)
    return str(error.value)


def test_webvtt_is_read_without_styles_notes_markup_and_sounds() -> None:
    assert cues(VTT) == [(1.0, "A cortado & milk"), (8.0, "la la then we pour")]


def test_subrip_is_read_and_a_cue_that_ends_before_it_begins_is_kept() -> None:
    assert cues(SRT, "film.srt") == [
        (1.0, "First line second line"), (5.0, "it ends before it begins"),
    ]  # fmt: skip


def test_substation_is_read_without_overrides_and_comments() -> None:
    assert cues(ASS, "film.ass") == [(1.0, "Hey you")]


def test_captions_that_roll_say_each_line_once() -> None:
    assert [text for _, text in cues(ROLLING)] == ["so today we", "bake a loaf", "of rye bread"]


def test_the_text_says_the_format_whatever_the_name_ends_with() -> None:
    assert cues(SRT, "film.vtt") == cues(SRT, "film.srt")
    assert cues(VTT, "film.srt") == cues(VTT)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_read_in_any_form(encoding: str) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nUn café crème à Orléans\n"
    assert cues(text.encode(encoding), "film.srt") == [(1.0, "Un café crème à Orléans")]


def test_an_old_encoding_is_told_from_the_bytes() -> None:
    lines = ["Это старый файл субтитров", "который никто не сохранял в юникоде", "и он читается"]
    text = "".join(
        f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{line}\n\n" for n, line in enumerate(lines)
    )
    assert [line for _, line in cues(text.encode("windows-1251"), "film.srt")] == lines


def test_cues_beyond_the_end_of_the_film_are_left_out() -> None:
    assert cues(SRT, "film.srt", film_s=3.0)[-1][0] == 5.0  # within what a clock may be off
    late = SRT.replace("00:00:05,000", "00:10:05,000")
    assert [at_s for at_s, _ in cues(late, "film.srt", film_s=3.0)] == [1.0]


def test_captions_of_another_film_end_in_a_reason() -> None:
    late = b"1\n01:00:05,000 --> 01:00:06,000\nfar away\n"
    assert reason(late, film_s=60.0) == (
        "captions begin after the film ends (first cue at 3,605 s, the film lasts 60 s)"
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\0\0\0\0", "is empty"),
        (b"just words", "no cue that can be read (of film.srt)"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "is not text"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n[Applause]\n", "no cue with words"),
        (b"\xff\xfe" + "1\n00:00:01,000 --> 00:00:02,000\nx\n".encode("utf-16-le") + b"\x00\xd8",
         "is damaged"),
    ],
)  # fmt: skip
def test_what_is_no_caption_file_ends_in_a_reason(data: bytes, said: str) -> None:
    assert said in reason(data)


@pytest.mark.parametrize("encoding", ["gb18030", "shift_jis"])
@pytest.mark.parametrize("shift", range(3))
def test_a_large_file_of_an_old_encoding_is_told_wherever_its_sample_ends(
    encoding: str, shift: int
) -> None:
    said = "今日はパンを焼きます。" if encoding == "shift_jis" else "今天我们烤面包，味道很好。"
    many = "".join(
        f"{n}\n00:{n // 60:02}:{n % 60:02},000 --> 00:{n // 60:02}:{n % 60:02},900\n{said}\n\n"
        for n in range(3_600)
    )
    found = cues(f"{'x' * shift}\n{many}".encode(encoding), "film.srt")
    assert found[0][1] == said


def test_a_file_with_too_many_cues_ends_in_a_reason() -> None:
    many = "".join(f"{n}\n00:00:01,000 --> 00:00:02,000\nx\n\n" for n in range(MAX_CUES + 1))
    assert reason(many.encode()) == "caption file has more than 50,000 cues"


@pytest.mark.parametrize(
    "line",
    [
        "()" * 200_000 + "a", "<a" * 200_000, "{" * 400_000, "&#" + "1" * 6_000 + ";",
        "\n".join(f"{num}" for num in range(50_000)), "<a\n" * 100_000, "< " * 200_000,
        "--> <a\n" * 50_000, "00:00:01,000 <a\n" * 30_000, "\n" * 400_000 + "7",
    ],
    ids=["brackets", "tags", "braces", "digits", "lines", "tags of lines", "blanks", "arrows",
         "times", "line feeds"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["srt", "vtt", "ass"])
def test_a_monstrous_cue_costs_no_more_than_its_length(line: str, form: str) -> None:
    begin = {
        "srt": "1\n00:00:01,000 --> 00:00:02,000\n", "vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\n",
        "ass": ASS.split("Dialogue:")[0] + "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,",
    }[form]  # fmt: skip
    end = {
        "srt": "\n\n2\n00:00:03,000 --> 00:00:04,000\nbread\n",
        "vtt": "\n\n00:03.000 --> 00:04.000\nbread\n",
        "ass": "\nDialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,bread\n",
    }[form]
    found = cues(begin + line + end, f"film.{form}")
    assert found[-1][1].split()[-1] == "bread"
    assert all(len(text) <= MAX_CUE_CHARS for _, text in found)


@pytest.mark.parametrize("form", ["srt", "vtt", "ass"])
@pytest.mark.parametrize("between", [" ", "\n"], ids=["one line", "lines"])
def test_a_transcript_in_one_cue_is_kept_to_its_last_word(form: str, between: str) -> None:
    words = [f"word{num}" for num in range(3_000)]
    lines = [" ".join(words[first : first + 10]) for first in range(0, len(words), 10)]
    text = ("\\N" if form == "ass" and between == "\n" else between).join(lines)
    begin = {
        "srt": "1\n00:00:01,000 --> 00:10:00,000\n", "vtt": "WEBVTT\n\n00:01.000 --> 10:00.000\n",
        "ass": ASS.split("Dialogue:")[0] + "Dialogue: 0,0:00:01.00,0:10:00.00,Default,,0,0,0,,",
    }[form]  # fmt: skip
    found = read_captions(f"{begin}{text}\n".encode(), f"film.{form}")
    assert " ".join(cue.text for cue in found).split() == words
    passages = group(found)
    assert " ".join(cue.text for cue in passages).split() == words
    assert max(len(cue.text) for cue in passages) <= MAX_CHARS
    assert all(1.0 <= cue.at_s <= cue.until_s <= 21.0 for cue in passages)


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_a_cue_that_is_cut_makes_no_cue_of_a_number_and_keeps_what_it_repeats(form: str) -> None:
    begin = {"srt": "", "vtt": "WEBVTT\n\n"}[form]
    lines = ["a line that is sung again and again", "and another one"] * 60
    whole = "\n".join(lines)
    text = (
        f"{begin}1\n00:00:01,000 --> 00:00:05,000\n{whole}\n\n"
        f"2\n00:00:06,000 --> 00:00:07,000\n{'x' * 999}\n\n"
        "3\n00:00:08,000 --> 00:00:09,000\nbread\n"
    )
    found = cues(text.replace(",000", ".000") if form == "vtt" else text, f"film.{form}")
    said = " ".join(text for at_s, text in found if at_s == 1.0)
    assert said.split() == " ".join(lines).split()
    assert [text for at_s, text in found if at_s > 1.0] == ["x" * 999, "bread"]


@pytest.mark.parametrize("head_chars", [400, 900, 990, 999, 1_000, 1_010])
def test_a_line_of_substation_whose_head_is_long_ends(head_chars: int) -> None:
    begin = "Dialogue: 0,0:00:01.00,0:00:02.00,"
    rest = head_chars - len(begin) - 6
    fields = [rest // 6] * 5 + [rest - 5 * (rest // 6)]
    line = begin + "".join("1" * length + "," for length in fields) + "bread " * 40_000
    found = cues(f"{ASS.split('Dialogue:')[0]}{line}\n{begin}s,n,0,0,0,,loaf\n", "film.ass")
    assert found[-1][1] == "loaf"
    assert sum(len(text) for _, text in found) < len(line)


def test_a_shape_that_is_cut_stays_a_shape() -> None:
    shape = " ".join(f"{num} {num}" for num in range(3_000))
    line = "Dialogue: 0,0:00:01.00,0:00:09.00,Default,,0,0,0,,"
    text = ASS.split("Dialogue:")[0] + f"{line}{{\\p1}}m 0 0 l {shape}\n{line}bread\n"
    assert [said for _, said in cues(text, "film.ass")] == ["bread"]


def test_a_line_of_substation_with_a_long_shape_keeps_its_words() -> None:
    shape = " ".join(f"{num} {num}" for num in range(1_000))
    line = "Dialogue: 0,0:00:0{}.00,0:00:09.00,Default,,0,0,0,,"
    text = ASS.split("Dialogue:")[0] + "\n".join(
        [
            line.format(1) + f"{{\\clip(m 0 0 l {shape})}}Hello\u2028there",
            line.format(2) + f"{{\\clip(m 0 0 l {shape})\\p1}}m 0 0 l {shape}",
            line.format(3) + "bread",
        ]
    )
    assert [said for _, said in cues(text, "film.ass")] == ["Hello there", "bread"]


def test_what_could_act_on_a_reader_is_taken_out() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\na\u202eb\x07c <script>alert(1)</script> d\n"
    assert cues(text, "film.srt") == [(1.0, "abc alert(1) d")]
