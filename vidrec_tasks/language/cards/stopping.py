# ruff: noqa: SIM905 - a list of words is read, and kept in order, as text
"""Stop words: where a phrase ends, in English and Chinese; no phrase begins, ends or holds one."""

from typing import Final

STOP_WORDS: Final = frozenset(
    """a an the this that these those i me my mine we us our ours you your yours he him his she her
    hers it its they them their theirs who whom whose which what when where why how all any both
    each few many more most other some such no nor not only own same so than too very much several
    is am are was were be been being have has had having do does did doing done can could may might
    must shall should will would let get gets got getting make makes made making take takes took
    taken taking go goes went gone going come comes came coming see sees saw seen seeing show shows
    showed shown showing say says said saying tell tells told know knows knew known think thinks
    want wants wanted need needs needed use uses used using try tries tried give gives gave given
    find finds found finding keep keeps kept put puts look looks looked looking turn turns turned
    become becomes became begin begins began start starts started end ends ended stop stops like
    likes liked love loves loved watch watches watched watching subscribe click follow follows
    followed share check enjoy join learn help helps helped work works set sets and or but if as at
    by for from in into of off on onto out over per to under up upon with within without about
    above across after against along among around before behind below beneath beside between
    beyond down during except inside near outside since through throughout till until toward
    towards via while because although though unless whether then else there here now today ever
    never always often again also just even still yet already really quite almost perhaps maybe
    one two three four five six seven eight nine ten first second third last next new old good
    better best bad big great little long short high low own every everyone everything everybody
    someone something anyone anything nobody nothing thing things way ways lot lots bit part parts
    time times day days week weeks month months year years hour hours minute minutes people person
    man woman men women guy guys video videos film films movie movies clip clips channel episode
    episodes full official please thank thanks hello hi yes ok okay amp quot nbsp http https www com
    org net don doesn didn isn aren wasn weren won wouldn couldn shouldn ain ll ve re im ive dont
    didnt cant another once however therefore according etc vs""".split()
)
"""Words of grammar, of telling, of counting and of watching: no topic is made of them."""

STOP_CHARACTERS: Final = frozenset(
    "的了是在和与及或也都就还很我你他她它们这那哪个些么吗呢吧啊呀哦一不没有被把给让从到对为以之其而且但"
    "如果因所于则即又再更最只会能可要想去来上下里中后前时说看做用着过得地等第每各该此请将向跟比"
)
"""Characters of Chinese grammar: a run of characters ends at them."""
