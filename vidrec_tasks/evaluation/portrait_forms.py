"""Portrait forms: what a sentence about a user may say, as regular expressions in two languages.

Read by `portrait_reading`, longest form first, once every name is one private character (`SIGN`).
A form has the groups of a `Statement`: ``x`` a name, ``list`` several, counts, a day, a limit; a
``2`` or ``3`` behind a group stands for another place of it.
"""

from typing import Final

PRIVATE: Final = 0xE000
SIGN: Final = "[\ue000-\uf8ff]"
WORDS: Final = {
    "none": 0, "one": 1, "once": 1, "two": 2, "twice": 2, "both": 2, "three": 3, "four": 4,
    "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
"""Numbers that are written as words."""
_N: Final = r"(?:0|[1-9]\d{0,8})"
_M: Final = rf"(?:{_N}|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)(?!\w)"
MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTH: Final = "|".join(MONTHS)
_DATE: Final = (
    rf"(?:(?P<day>\d{{1,2}}) (?P<month>{_MONTH}),? (?P<year>\d{{4}})|"
    rf"(?P<month2>{_MONTH}) (?P<day2>\d{{1,2}}),? (?P<year2>\d{{4}})|"
    r"(?P<year3>\d{4})-(?P<month3>\d{2})-(?P<day3>\d{2}))(?!\w)"
)
_DATE_ZH: Final = r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?P<day>\d{1,2})日"

ONE: Final = rf"(?:“(?P<x>{SIGN})”|(?P<x2>{SIGN}))"
_COUNTED: Final = (
    rf"(?: \((?:{_N} (?:out )?of (?:the )?{_N}(?: videos)?|{_N}(?: videos?)?|"
    rf"(?:watched )?(?:{_N} times|twice))\))?"
)
_ITEM: Final = rf"“?{SIGN}”?{_COUNTED}"
_JOINED: Final = r"(?:, along with |, as well as |, and | and |, )"
_LIST: Final = (
    rf"(?=(?:watching )?(?:(?:videos|topics) (?:about|of|on|such as|including) )?"
    rf"(?P<list>{_ITEM}(?:{_JOINED}{_ITEM})*))"
)
UNCOUNTED: Final = rf"(?P<list>“?{SIGN}”?(?:(?:, and | and |, )“?{SIGN}”?)*)"
_OF: Final = rf"\((?P<n>{_N}) (?:out )?of (?P<of>{_N})(?: videos)?\)"
_TIMES: Final = (
    rf"(?:(?:,| \(|,? with| in)? ?(?P<n>{_N}) (?:out )?of (?P<of>{_N}) (?:times|visits)\)?)?"
)
_MOSTLY: Final = r"(?:mostly|mainly|usually|typically|generally|primarily)"
_TENDS: Final = r"tends? to"
_LATELY: Final = r"(?:(?P<lately>lately|recently) )?"


def _halves(direction: str) -> str:
    """The counts of a turn, and those before it."""
    versus = rf"(?:{direction} from |compared (?:to|with) |versus |against )?"
    return (
        rf"(?: \((?P<n>{_N}) (?:out )?of (?P<of>{_N}) videos,? {versus}"
        rf"(?P<before>none|{_N}) (?:out )?of (?:the )?(?P<of_before>{_N})(?: videos)? before\))?"
    )


_SINCE: Final = rf"(?: since {_DATE})?"
PARTS: Final = {
    "in the morning": "morning", "in the afternoon": "afternoon", "in the evening": "evening",
    "in the mornings": "morning", "in the afternoons": "afternoon", "in the evenings": "evening",
    "at night": "night", "at weekends": "weekend", "on weekends": "weekend",
    "on the weekend": "weekend", "at the weekend": "weekend",
    "上午": "morning", "下午": "afternoon", "傍晚到晚上": "evening", "深夜": "night",
    "周末": "weekend",
}  # fmt: skip
_PREFERS: Final = (
    rf"(?:prefers?(?: to watch)?|favours?|favors?|{_MOSTLY} (?:chooses?|watch(?:es)?)|"
    rf"{_TENDS} (?:choose|watch|prefer))"
)
_PART: Final = f"(?P<part>{'|'.join(sorted(PARTS, key=len, reverse=True))})(?![a-z])"
_THEY: Final = r"(?:they|this user) (?:have |has )?"
_ABOUT: Final = r"(?:(?:are|were) )?(?:about|on)"

ENGLISH: Final = [
    ("likes", r"(?:likes?|liked|enjoys?|enjoyed|loves?|(?:is|are) (?:a fan of|fans of|fond of|"
              rf"keen on|interested in)|(?:has|have|shows?) an interest in) {_LIST}"),
    ("likes", rf"(?:among )?(?:the )?(?:videos|topics) {_THEY}(?:liked|like|enjoyed|enjoy) "
              rf"(?:include|are) {_LIST}"),
    ("likes", rf"their (?:interests|liked videos) (?:include|are) {_LIST}"),
    ("likes", rf"one of the videos {_THEY}(?:liked|enjoyed) is {_LIST}"),
    ("likes", rf"{UNCOUNTED} (?:is|are) among the videos {_THEY}(?:liked|enjoyed)"),
    ("often", r"(?:(?:often|regularly|frequently|repeatedly) watch(?:es)?|keeps? (?:coming|going) "
              rf"back to|keeps? returning to|returns? again and again to) {_LIST}"),
    ("most", rf"{_MOSTLY} watch(?:es)? (?:videos (?:about|on) )?{ONE} "
             rf"\((?P<n>{_N}) (?:out )?of (?P<of>{_N})(?: videos)?\)"),
    ("most", rf"{_MOSTLY} watch(?:es)? {_LIST}"),
    ("most", r"(?:most|more than half|over half) of (?:the |their )?"
             rf"(?:(?P<of>{_N}) )?videos (?:{_THEY}watched )?{_ABOUT} {ONE}"),
    ("most", rf"most of (?:the |their )?videos (?:{_THEY}watched )?{_ABOUT} {ONE} {_OF}"),
    ("times", rf"{ONE} \((?:watched )?(?:(?P<n>{_M}|one) times?|(?P<n2>once|twice))\)"),
    ("times", rf"{ONE}, which {_THEY}watched (?:(?P<n>{_M}) times|(?P<n2>twice))"),
    ("times", rf"watched {ONE} (?:(?P<n>{_M}) times|(?P<n2>twice))"),
    ("about", rf"{ONE} \((?P<n>{_N}) (?:out )?of (?:the )?(?P<of>{_N})(?: videos)?\)"),
    ("about", rf"{ONE} \((?P<n>{_N})(?: videos?)?\)"),
    ("about", rf"{ONE} in (?P<n>{_N}) (?:out )?of (?:the |their )?(?P<of>{_N}) videos"),
    ("about", rf"(?P<n>{_M}) (?:out )?of (?:the |their )?(?P<of>{_N}) videos "
              rf"(?:{_THEY}watched )?{_ABOUT} {ONE}"),
    ("about", rf"(?P<n>{_M}) (?:videos? )?about {ONE}"),
    ("about", rf"{ONE}"),
    ("by", rf"(?P<n>{_M}|one) (?:videos? )?(?:(?:made|created) )?(?:by|from) {ONE}"),
    ("by", rf"(?P<n>{_M}|one) videos? each (?:by|from) {UNCOUNTED}"),
    ("by", rf"(?:knows?|(?:is|are) familiar with) {ONE} from (?P<n>{_M}|one) videos?"),
    ("more", rf"{_LATELY}(?:turned to|watched more (?:of|about)) {ONE}{_SINCE}"
             rf"{_halves('up')}"),
    ("less", rf"{_LATELY}watched less (?:of|about) {ONE}{_SINCE}"
             rf"{_halves('down')}"),
    ("new", rf"{_LATELY}(?:discovered|begun to watch|begun watching|started to watch|"
            rf"started watching|taken up) {ONE}{_SINCE}{_halves('up')}"),
    ("since", rf"since {_DATE}"),
    ("when", rf"{_MOSTLY} (?:watch(?:es)? )?(?:videos )?{_PART}{_TIMES}"),
    ("when", rf"(?:watch(?:es)? (?:videos )?{_MOSTLY}|{_TENDS} watch(?: videos)?|"
             rf"(?:prefers?|favours?) (?:watching|to watch)(?: videos)?) {_PART}{_TIMES}"),
    ("under", rf"{_PREFERS} (?:short )?videos \(?(?:that are )?(?:under|shorter than|below) "
              rf"(?P<limit>{_M}) minutes\)?(?: {_OF})?"),
    ("over", rf"{_PREFERS} (?:long )?videos \(?(?:that are )?(?:over|longer than|above) "
             rf"(?P<limit>{_M}) minutes\)?(?: {_OF})?"),
    ("whole", r"(?:watch|finish)(?:es)? most (?:of the )?videos(?: they (?:watch|start))? "
              rf"(?:to the end|through)(?: {_OF})?"),
    ("whole", rf"finish(?:es)? most (?:of the )?videos(?: they (?:watch|start))?(?: {_OF})?"),
    ("whole", rf"(?:{_TENDS} (?:finish|watch)|{_MOSTLY} (?:finish|watch)(?:es)?) "
              rf"(?:the )?videos(?: they (?:watch|start))? (?:to the end|through)(?: {_OF})?"),
    ("whole", rf"(?:{_TENDS} finish|{_MOSTLY} finish(?:es)?) (?:the )?videos"
              rf"(?: they (?:watch|start))?(?: {_OF})?"),
    ("half", r"(?:leaves?|stops?) most (?:of the )?videos before (?:the middle|halfway)"
             rf"(?: {_OF})?"),
    ("half", rf"(?:{_TENDS} (?:leave|stop)|{_MOSTLY} (?:leaves?|stops?)) (?:the )?videos before "
             rf"(?:the middle|halfway)(?: {_OF})?"),
    ("unfinished", r"(?:rarely|seldom) (?:finish|watch)(?:es)? (?:the )?videos"
                   r"(?: they (?:watch|start))? to the end"),
    ("unfinished", r"(?:rarely|seldom) finish(?:es)? (?:the )?videos(?: they (?:watch|start))?"),
    ("fresh", rf"(?:{_MOSTLY} watch(?:es)?|often (?:catch|watch)(?:es)?) videos (?:with)?in their "
              rf"first (?P<limit>{_M}) days(?: {_OF})?"),
    ("away", r"(?:turns? away from|avoids?|skips?) most (?:of the )?videos (?:about|on) "
             rf"{ONE}(?: {_OF})?"),
    ("away", rf"(?:{_TENDS} (?:avoid|skip|turn away from)|{_MOSTLY} (?:avoids?|skips?|turns? away "
             rf"from)) videos (?:about|on) {ONE}(?: {_OF})?"),
    ("away", rf"do(?:es)? not care for most videos about {ONE}"
             rf"(?: \((?P<n>{_N}) (?:out )?of (?P<of>{_N}) turned away\))?"),
    ("all away", rf"(?:turns?|turned) away from (?:all (?:the )?(?P<n>{_M})|(?P<n2>both)) "
                 rf"videos about {ONE}(?: (?:that )?(?:they|this user) met)?"),
    ("rarely", rf"(?:rarely|seldom) watch(?:es)? (?:videos (?:about|on) )?{ONE}"),
    ("total", rf"watched (?:a total of )?(?P<n>{_M}|one) videos?(?!\w| (?:each |made |created )?"
              r"(?:by|from|about|on))"),
    ("unknown", r"has not watched any video yet, so there is nothing to say of their taste"),
]  # fmt: skip

_OF_ZH: Final = rf"（(?P<of>{_N}) ?[个次]中的 ?(?P<n>{_N}) ?[个次]）"
_HALVES_ZH: Final = (
    rf"（(?P<of>{_N}) ?个视频中的 ?(?P<n>{_N}) ?个，此前 ?(?P<of_before>{_N}) ?个中的 ?"
    rf"(?P<before>{_N}) ?个）"
)
ONE_ZH: Final = rf"[“《](?P<x>{SIGN})[”》]"
_ITEM_ZH: Final = rf"[“《]{SIGN}[”》](?:（[^（）]*）)?"
_LIST_ZH: Final = rf"(?=(?P<list>{_ITEM_ZH}(?:(?:、|和|，此外还有){_ITEM_ZH})*))"
CHINESE: Final = [
    ("likes", rf"(?:喜欢的视频有|看过并喜欢|喜欢看|喜欢观看|喜欢|爱看){_LIST_ZH}"),
    ("often", rf"(?:经常看|经常观看|常看|一再回来看){_LIST_ZH}"),
    ("most", rf"大多看{ONE_ZH}（(?P<of>{_N}) ?个视频中的 ?(?P<n>{_N}) ?个）"),
    ("times", rf"{ONE_ZH}（看过 ?(?P<n>{_N}) ?次）"),
    ("about", rf"{ONE_ZH}（(?P<of>{_N}) ?个视频中的 ?(?P<n>{_N}) ?个）"),
    ("about", rf"{ONE_ZH}（(?P<n>{_N}) ?个）"),
    ("about", rf"{ONE_ZH}"),
    ("by", rf"看过{ONE_ZH}的 ?(?P<n>{_N}) ?个视频"),
    ("more", rf"自{_DATE_ZH}起更多地看{ONE_ZH}{_HALVES_ZH}"),
    ("less", rf"自{_DATE_ZH}起较少看{ONE_ZH}{_HALVES_ZH}"),
    ("new", rf"自{_DATE_ZH}起开始看{ONE_ZH}（(?P<of>{_N}) ?个视频中的 ?(?P<n>{_N}) ?个，此前 ?"
            rf"(?P<of_before>{_N}) ?个中没有）"),
    ("when", rf"(?:多|大多|通常|主要)在{_PART}(?:观看|看视频){_OF_ZH}"),
    ("under", rf"偏爱 ?(?P<limit>{_N}) ?分钟以内的视频{_OF_ZH}"),
    ("over", rf"偏爱 ?(?P<limit>{_N}) ?分钟以上的视频{_OF_ZH}"),
    ("whole", rf"(?:大多|通常)(?:会)?把视频看完{_OF_ZH}"),
    ("half", rf"大多看不到一半{_OF_ZH}"),
    ("fresh", rf"大多看发布 ?(?P<limit>{_N}) ?天以内的视频{_OF_ZH}"),
    ("away", rf"(?:大多|通常)(?:避开|跳过)关于{ONE_ZH}的视频{_OF_ZH}"),
    ("all away", rf"避开了关于{ONE_ZH}的全部 ?(?P<n>{_N}) ?个视频"),
    ("total", rf"看过 ?(?P<n>{_N}) ?个视频"),
    ("unknown", r"还没有看过任何视频，因此无从谈起其喜好"),
]  # fmt: skip

NEUTRAL: Final = (
    r"this user's|this user|the user's|the user|they|their|so far|in total|goes for|go for|"
    r"is drawn to|are drawn to|along with|as well as|such as|including|has|have|watches|watched|"
    r"watch|watching|videos|video|topics|topic|include|includes|are|is|about|on|of|and|also|both|"
    r"a|an|the"
)
NEUTRAL_ZH: Final = (
    "这位用户|该用户|用户|目前|观看|看过|看的主题包括|内容有|的视频|视频|看|此外还有|还|也|和|的"
)
