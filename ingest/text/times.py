"""Since when: "seit heute früh", "seit 3 Stunden", "seit gestern 22 Uhr" -> a moment, told from the post's. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Final

from aggregator.clock import BERLIN

# The hour that a word stands for; told to readers in tests/text/README.md.
HOURS: Final = {
    "nacht": 2, "früh": 7, "frueh": 7, "morgen": 7, "morgens": 7, "vormittag": 10, "vormittags": 10, "mittag": 12,
    "mittags": 12, "nachmittag": 15, "nachmittags": 15, "abend": 19, "abends": 19,
}  # fmt: skip
NUMBERS: Final = {
    "ein": 1, "eine": 1, "einer": 1, "einem": 1, "ner": 1, "nem": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5,
    "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10, "elf": 11, "zwölf": 12, "zwanzig": 20, "dreißig": 30,
}  # fmt: skip
DAYS: Final = ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag")
UNITS: Final = (("min", 1), ("st", 60), ("std", 60), ("h", 60), ("tag", 1440), ("woche", 10080))
HALVES: Final = {
    "halben stunde": 30,
    "viertelstunde": 15,
    "dreiviertelstunde": 45,
    "dreiviertel stunde": 45,
    "viertel stunde": 15,
}

_NUMBER = "|".join(sorted(NUMBERS, key=len, reverse=True))
_PART = "|".join(sorted(HOURS, key=len, reverse=True))
_ABOUT = (
    r"(?:(?:ca\.?|etwa|ungefähr|rund|circa|gut|über|mehr als|fast|knapp|jetzt|schon|kurz nach|kurz vor|so|gegen)"
    r"\s+){0,3}"
)
_CLOCK = rf"(?P<hour>\d{{1,2}}|{_NUMBER})(?:[:.](?P<minute>\d{{2}})(?:\s*uhr)?|\s*uhr(?:\s*(?P<after>\d{{2}})\b)?)"
_HALF = "|".join(sorted(HALVES, key=len, reverse=True))
_NO_HOUR = r"(?![\d:.,]|\s*(?:mal|%|€|euro|mbit|jahr|monat|woche|tag|min|st|h\b))"  # after a number that is none
SPAN: Final = re.compile(
    rf"\b(?:seit|vor)\s+{_ABOUT}(?:(?:einer?|ner)\s+(?P<half>{_HALF})"
    rf"|(?P<count>\d{{1,3}}|{_NUMBER})\s*(?P<unit>min|stund|std|h\b|tag|woche))"
)
SINCE: Final = re.compile(
    rf"\b(?:seit|ab)\s+{_ABOUT}(?:dem\s+)?"
    rf"(?:(?P<day>heute?|gestern|vorgestern|letzte[rn]?|der|{'|'.join(DAYS)})\s*)?(?P<part>{_PART})?\b\s*{_ABOUT}"
    rf"(?:um\s+)?(?:{_CLOCK}|halb (?P<halb>\d{{1,2}}|{_NUMBER})|(?P<bare>\d{{1,2}}){_NO_HOUR})?"
    rf"(?:\s*(?P<late>{_PART}))?"
)
NOW: Final = re.compile(r"\bseit\s+(?:gerade\s+|grad\s+)?(?:eben|gerade|grad|soeben)\b")


def began(text: str, posted_at: datetime) -> tuple[datetime, float] | None:
    """Return since when it lasts by the words of a post, aware, with how sure that is (0 to 1); None: it does not say.

    Words for parts of a day stand for fixed hours; a time of day that would lie ahead is yesterday's.
    """
    low = text.casefold()
    if "seit" not in low and "vor " not in low and "ab " not in low:
        return None
    local = posted_at.astimezone(BERLIN)
    found = SPAN.search(low)
    if found:
        return local - _span(found), 0.9
    if NOW.search(low):
        return local, 0.8
    return next((since for one in SINCE.finditer(low) if (since := _since(one, local))), None)


def _span(found: re.Match[str]) -> timedelta:
    if found["half"]:
        return timedelta(minutes=HALVES[found["half"]])
    count = int(found["count"]) if found["count"].isdigit() else NUMBERS[found["count"]]
    minutes = next(m for unit, m in reversed(UNITS) if found["unit"].startswith(unit))
    return timedelta(minutes=count * minutes)


def _since(found: re.Match[str], now: datetime) -> tuple[datetime, float] | None:
    clock = _clock(found)
    part = found["part"] or found["late"]
    named = found["day"] in {"heut", "heute", "gestern", "vorgestern", *DAYS}
    if clock is None and not part and not named:
        return None
    if clock is None and not part and found["day"] in {"heut", "heute"}:
        return None  # "seit heute": the day says little of when
    day = _day(found["day"], now)
    clock, sure = (clock, 0.9) if clock else (time(HOURS[part]), 0.7) if part else (time(12), 0.4)
    if found["part"] and clock.hour < 12 and HOURS[found["part"]] >= 12 and found["part"] != "nacht":
        clock = clock.replace(hour=clock.hour + 12)
    return _at_or_before(day, clock, now, fixed=named and found["day"] not in DAYS), sure


def _clock(found: re.Match[str]) -> time | None:
    """Read 14:30, 14.30 Uhr, 14 Uhr 30, "halb neun" or a bare hour; None where there is none or it cannot be."""
    said = found["hour"] or found["halb"] or found["bare"]
    if not said:
        return None
    hour = int(said) if said.isdigit() else NUMBERS[said]
    minute = int(found["minute"] or found["after"] or 0)
    if found["halb"]:
        hour, minute = hour - 1, 30
    if found["late"] in {"mittags", "nachmittags", "abends"} and hour < 12 and (hour, found["late"]) != (11, "mittags"):
        hour += 12
    return time(hour % 24, minute) if 0 <= hour <= 24 and minute < 60 else None


def _day(said: str | None, now: datetime) -> date:
    if said in DAYS:
        back = (now.weekday() - DAYS.index(said)) % 7
        return now.date() - timedelta(days=back)
    return now.date() - timedelta(days={"gestern": 1, "vorgestern": 2}.get(said or "", 0))


def _at_or_before(day: date, clock: time, now: datetime, *, fixed: bool) -> datetime:
    """Return the latest such moment that is not ahead: "seit 22 Uhr", written at nine, is yesterday's."""
    moment = datetime.combine(day, clock, BERLIN)
    if fixed or day != now.date():
        return min(moment, now)
    return moment if moment <= now else moment - timedelta(days=1)
