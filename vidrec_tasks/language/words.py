# ruff: noqa: SIM905 - a list of words is read, and kept in order, as text
"""Word lists: what a sentence may use without evidence, and what it may never use.

The sensitive attributes are those of the design: age, gender, health, politics, faith, sexuality,
and origin beside them (GDPR, article 9, names the same kinds).
"""

import re
import unicodedata
from typing import Final

FUNCTION_WORDS: Final = frozenset(
    """a an the this that these and or as well both also too of about in on at to with for from by
    is are has have been it its user user's users they their them who which whose when while but
    between across such like including include includes
    """.split()
)
"""Words that carry grammar alone; negations, comparisons and frequencies are not among them."""

TASTE_WORDS: Final = frozenset(
    """watch watches watched watching enjoy enjoys enjoyed enjoying like likes liked love loves
    interested interest interests fan fond video videos topic topics content mix variety
    viewing follow follows choose chooses turn turns return returns come comes coming back keep
    keeps spend spends favour favours drawn keen
    """.split()
)
"""Verbs and nouns of watching and liking: true of whoever watched."""

INSTRUCTION_WORDS: Final = frozenset(
    """ignore disregard forget override instruction instructions prompt prompts system assistant
    jailbreak pretend respond reply output print say write repeat reveal execute
    """.split()
)
"""Words of commands to a language model; no topic may hold one."""

COMMANDING_WORDS: Final = frozenset("disregard override jailbreak pretend reveal".split())
"""Those of them that one alone makes a sentence suspect."""

INSTRUCTION_STEMS: Final = tuple(
    """ignor instruc instruk instruzion anweisung befehl prompt jailbreak игнор инструкц
    تجاهل تعليمات 忽略 无视 無視 指令 指示 提示词 系统提示 무시 지시 अनदेखा निर्देश
    """.split()
)
"""Beginnings of such words in other languages; no topic may hold one anywhere."""

_SENSITIVE_WORDS: Final = """
    age aged ages old older oldest elderly young younger youngest youth youths teen teens teenage
    teenager teenagers kid kids child children childhood childish children's adult adults baby
    babies toddler toddlers senior seniors pensioner retired retiree millennial boomer boomers
    adolescent infant infants middle-aged
    he she him her his hers himself herself male males female females man men woman women boy boys
    girl girls guy guys lady ladies gentleman mother mothers mom mum father fathers dad husband wife
    masculine feminine gender genders sex sexes transgender trans nonbinary son daughter
    health illness ill sick disease diseases disabled disability disabilities depressed depression
    anxiety cancer diabetes diabetic autism autistic adhd pregnant pregnancy hiv aids therapy
    therapist obese obesity addict addiction alcoholic bipolar schizophrenia dementia wheelchair
    infertility menopause patient patients medication overweight insomnia suicidal
    politics political politician republican republicans democrat democrats liberal liberals
    conservative conservatives leftist socialist communist fascist election elections
    voter voters vote votes left-wing right-wing anarchist nationalist feminist
    faith religion religious christian christians christianity catholic protestant orthodox muslim
    muslims islam islamic jewish jew jews judaism hindu hindus hinduism buddhist buddhism sikh
    atheist atheism church mosque synagogue bible quran koran prayer pray jesus allah spiritual
    evangelical gay gays lesbian lesbians bisexual homosexual heterosexual queer lgbt lgbtq lgbtqia
    sexual sexuality sexy erotic erotica porn adult-only nsfw kink fetish
    racial ethnic ethnicity black white asian african arab hispanic latino latina immigrant
    immigrants refugee nationality caucasian indigenous
""".split()

_SENSITIVE_ZH: Final = """
    年龄 岁 老年 老人 青少年 儿童 孩子 小孩 婴儿 成年 未成年 男性 女性 男人 女人 男孩 女孩
    性别 健康 疾病 病人 患者 残疾 抑郁 焦虑 癌症 糖尿病 自闭 怀孕 孕妇 艾滋 政治 选举 党派
    左派 右派 共产 宗教 信仰 基督 天主教 穆斯林 伊斯兰 犹太 佛教 印度教 教会 清真 同性恋
    双性恋 异性恋 性取向 色情 种族 民族 移民
""".split()

_SENSITIVE: Final = re.compile(
    r"(?<![^\W_])(?:"
    + "|".join(re.escape(word) for word in sorted(_SENSITIVE_WORDS, key=len, reverse=True))
    + r")(?![^\W_])|"
    + "|".join(_SENSITIVE_ZH),
    re.IGNORECASE,
)
_AGE_NUMBER: Final = re.compile(
    r"\b\d+[- ]year|\byears?[- ]old|\bin (?:his|her|their) \d0s\b", re.IGNORECASE
)


def has_sensitive(text: str) -> bool:
    """Whether the text states or names a sensitive attribute (of anyone), in whatever letters."""
    text = unicodedata.normalize("NFKC", text)
    return bool(_SENSITIVE.search(text) or _AGE_NUMBER.search(text))
