"""Seeded makers of words and values: names, dates, numbers, codes and words that nobody has seen before.

Every maker takes a ``random.Random`` and returns a string, so the corpus is a function of its seed alone. Half of what
could come from a list is invented from syllables instead: a model that can copy only words it knows is of no use on
somebody else's table.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from random import Random

Maker = Callable[[Random], str]


def _cut(text: str, separator: str | None = None) -> list[str]:
    """The words of a text, cut at white space, or at ``separator`` with line ends left out."""
    return (text.replace("\n", "") if separator else text).split(separator)


FIRST = _cut("""
Alice Bob Carla David Emma Frank Grace Henry Irene Jack Karen Leo Maria Nathan Olivia Peter Quinn Rosa Samuel Tina
Umar Vera Walter Xenia Yusuf Zoe Amir Bella Chen Diego Elena Farid Greta Hugo Ines Jonas Kira Lars Mina Noah Otto
Priya Ravi Sofia Tomas Uma Victor Wendy Yara Zane Anna Ben Clara Daniel Eva Felix Gina Hans Ivan Julia
""")
LAST = _cut("""
Smith Jones Brown Garcia Miller Davis Wilson Moore Taylor Anderson Thomas Jackson White Harris Martin Thompson Young
King Wright Scott Green Baker Adams Nelson Hill Campbell Mitchell Roberts Carter Phillips Evans Turner Parker
Collins Edwards Stewart Morris Murphy Cook Rogers Morgan Cooper Reed Bailey Bell Kelly Howard Ward Cox Diaz
Richardson Wood Watson Brooks Bennett Gray James Hughes Price Myers
""")
PLACES = _cut("""
London Paris Cairo Lima Oslo Rome Delhi Tokyo Boston Denver Nairobi Quito Sofia Vienna Zurich Lisbon Madrid Dublin
Prague Athens Berlin Geneva Havana Jakarta Kyoto Lagos Milan Naples Porto Riga Seoul Tunis Utrecht Venice Warsaw
Riverton Oakfield Northport Westhaven Stonebridge Maplewood Eastbury Highgate Fairview Lakeside
""")
TOPICS = _cut("""
History Physics Biology Music Poetry Chemistry Drama Law Medicine Algebra Painting Sculpture Gardening Cooking
Sailing Chess Archery Fencing Astronomy Geology Dance Travel Nature Crime Fantasy Comedy Opera Jazz Folk Ceramics
Weaving Printing Robotics Optics Energy Water Forest Weather Transport Housing Safety Planning Design Research Media
Public Works Data Systems Field Service Quality Control Customer Care Human Rights General Affairs
""")
COLOURS = _cut("red blue green yellow black white grey brown purple orange pink silver golden dark pale navy teal")
MATERIALS = _cut("oak pine steel glass copper wool cotton silk paper leather stone clay marble iron bamboo linen brass")
ANIMALS = _cut("lion tiger horse goat rabbit falcon otter badger panda whale heron lynx camel donkey gecko parrot")
STATES = _cut("open closed pending active lost ready late paid new used broken clean empty full done waiting sold")
MONTHS = _cut("January February March April May June July August September October November December")
WORDS = _cut("""
apple river stone window garden market bridge candle mirror pocket basket ladder hammer needle blanket bottle ticket
letter button engine wheel rocket planet island desert valley meadow harbour castle temple palace cottage kitchen
school office station library museum theatre hospital village street corner shadow thunder winter summer autumn
morning evening midnight holiday journey story secret promise question answer reason purpose idea dream memory
lesson puzzle game team group member leader partner friend neighbour stranger doctor farmer baker driver pilot
sailor writer singer dancer painter teacher student captain manager worker king queen prince child mother father
sister brother cousin uncle year week project account budget report plan order invoice contract product service
customer company system network computer file folder record table column number value total amount level grade score
point line page chapter title name label code key strong gentle quick slow bright heavy light narrow wide deep
shallow sharp smooth rough quiet loud warm cold fresh old young early final first second third central local global
public private simple double special common modern ancient
""")

# Keys for records of no kind in particular, by the type of value that such a word usually names.
KEYS: dict[str, Sequence[str]] = {
    "date": _cut(
        """start date;end date;due date;birthday;opening;launch;delivery date;last visit;joined;created;updated;expiry;
issued;founded;begin;since;entry date;registered;arrival;departure;release;review date;first day;signed""",
        ";",
    ),
    "amount": _cut(
        """price;cost;budget;salary;income;fee;wage;pay;balance;total;amount;rent;value;fine;bonus;tax;deposit;revenue;
turnover;profit;loan;yearly pay;earnings;charge""",
        ";",
    ),
    "number": _cut(
        """age;score;weight;height;length;count;level;rank;points;size;stock;distance;speed;seats;pages;floor;members;
visitors;capacity;depth;votes;rating;copies;turns""",
        ";",
    ),
    "label": _cut(
        """team;group;section;unit;branch;division;office;area;category;type;class;topic;field;sector;region;zone;
station;club;school;project;brand;label;role;title;track;room;subject;faculty;chapter""",
        ";",
    ),
    "person": _cut(
        "owner;manager;leader;author;teacher;contact;partner;guide;captain;winner;editor;sponsor;head;tutor", ";"
    ),
    "place": _cut("city;town;country;home;origin;location;address;site;port;birthplace;destination", ";"),
    "word": _cut("colour;material;status;state;animal;food;tool;symbol;mood;pattern;shape;instrument;flag;drink", ";"),
    "code": _cut("id;code;serial;reference;number plate;ticket;key;badge;locker;slot;account;token;model", ";"),
}

_ONSETS = _cut("b c d f g h j k l m n p r s t v w z br ch cl dr fl gr kr pl sh sl st th tr vr qu sk")
_VOWELS = _cut("a e i o u a e i o ai ea ee oo ou ia io")
_CODAS = ["", "", "", "n", "r", "l", "s", "t", "x", "m", "nd", "rk", "sk", "th", "ng", "p"]


def invented(rng: Random) -> str:
    """A word made of two or three random syllables, such as ``brolix``; one in twelve is random letters."""
    if rng.random() < 0.08:
        return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(3, 9)))
    count = 2 if rng.random() < 0.65 else 3
    parts = [rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(count)]
    return "".join(parts) + rng.choice(_CODAS)


def pick(rng: Random, pool: Sequence[str], invent: float = 0.5) -> str:
    """A capitalised word: invented with probability ``invent``, from ``pool`` otherwise."""
    return invented(rng).capitalize() if rng.random() < invent else rng.choice(pool)


def person(rng: Random) -> str:
    """A first and a last name, each invented half of the time; sometimes three parts."""
    parts = [pick(rng, FIRST), pick(rng, LAST)]
    if rng.random() < 0.05:
        parts.insert(1, rng.choice(string.ascii_uppercase) + ".")
    elif rng.random() < 0.04:
        parts[-1] += "-" + pick(rng, LAST)
    return " ".join(parts)


def place(rng: Random) -> str:
    """A town, sometimes of two words."""
    town = pick(rng, PLACES)
    return f"{rng.choice(['New', 'Port', 'Lake', 'Old', 'Fort', 'North'])} {town}" if rng.random() < 0.15 else town


def label(rng: Random) -> str:
    """The name of a group, a topic or a thing: one to three capitalised words, at least half of them invented."""
    words = [pick(rng, TOPICS if rng.random() < 0.6 else [w.capitalize() for w in WORDS[:80]], 0.55)]
    chance = rng.random()
    if chance < 0.28:
        words.append(pick(rng, TOPICS, 0.5))
    elif chance < 0.36:
        words += [rng.choice(["and", "&", "of"]), pick(rng, TOPICS, 0.5)]
    return " ".join(words)


def word(rng: Random) -> str:
    """One lower-case word: a colour, material, animal, state, an everyday word or an invented one."""
    if rng.random() < 0.4:
        return invented(rng)
    return rng.choice(rng.choice([COLOURS, MATERIALS, ANIMALS, STATES, WORDS]))


def thing(rng: Random) -> str:
    """The name of a made thing: ``The Silver Harbour``, ``Brolix``, ``Oak Lantern 3``."""
    chance = rng.random()
    if chance < 0.35:
        return " ".join(invented(rng).capitalize() for _ in range(rng.randint(1, 2)))
    adjective = rng.choice(COLOURS + MATERIALS + WORDS[-40:]).capitalize()
    noun = pick(rng, [w.capitalize() for w in WORDS[:110]], 0.35)
    if chance < 0.6:
        return f"The {adjective} {noun}"
    return f"{adjective} {noun}" if chance < 0.9 else f"{noun} {rng.randint(1, 99)}"


def date(rng: Random) -> str:
    """A date from 1950 to 2030; ISO form in half of the cases, else one of seven other forms."""
    year, month, day = rng.randint(1950, 2030), rng.randint(1, 12), rng.randint(1, 28)
    if rng.random() < 0.6:
        year = rng.randint(2000, 2026)
    name = MONTHS[month - 1]
    forms = (
        f"{day:02d}/{month:02d}/{year}",
        f"{month}/{day}/{year}",
        f"{day:02d}.{month:02d}.{year}",
        f"{name} {day}, {year}",
        f"{day} {name} {year}",
        f"{name[:3]} {day}, {year}",
        f"{year}/{month:02d}/{day:02d}",
    )
    return f"{year}-{month:02d}-{day:02d}" if rng.random() < 0.5 else rng.choice(forms)


def _whole(rng: Random) -> int:
    """A whole number with one to seven digits, the number of digits drawn first."""
    digits = rng.choices(range(1, 8), weights=(1, 3, 3, 3, 5, 3, 1))[0]
    value = rng.randint(10 ** (digits - 1), 10**digits - 1)
    return value - value % 100 if digits > 3 and rng.random() < 0.3 else value


def amount(rng: Random) -> str:
    """A sum of money: bare, with separators, with cents or with a currency."""
    value = _whole(rng)
    chance = rng.random()
    if chance < 0.5:
        return str(value)
    if chance < 0.6:
        return f"{value:,}"
    if chance < 0.7:
        return f"{value % 10000}.{rng.randint(0, 99):02d}"
    if chance < 0.85:
        return rng.choice("$€£") + (f"{value:,}" if rng.random() < 0.5 else str(value))
    return f"{value} {rng.choice(['EUR', 'USD', 'GBP', 'dollars', 'euros', 'crowns'])}"


def number(rng: Random) -> str:
    """A number, bare most of the time, else with a decimal part, a percent sign or a unit."""
    value, chance = _whole(rng), rng.random()
    if chance < 0.7:
        return str(value)
    if chance < 0.8:
        return f"{value % 1000}.{rng.randint(0, 9)}"
    return f"{value % 1000}{rng.choice(['%', ' kg', ' cm', ' km', ' m', ' pages', ' points'])}"


def code(rng: Random) -> str:
    """A code of letters and digits, such as ``KD-4821``, ``b7f3a9`` or a time such as ``14:35``."""
    letters = "".join(rng.choices(string.ascii_uppercase, k=rng.randint(1, 3)))
    chance = rng.random()
    if chance < 0.45:
        return f"{letters}{rng.choice(['-', '', ' ', '/'])}{rng.randint(1, 99999)}"
    if chance < 0.6:
        return "".join(rng.choices("0123456789abcdef", k=rng.randint(4, 9)))
    if chance < 0.75:
        return f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"
    if chance < 0.85:
        return f"{invented(rng)}@{invented(rng)}.{rng.choice(['com', 'org', 'net'])}"
    return str(rng.randint(1, 99999))


def phrase(rng: Random) -> str:
    """Two to six lower-case words."""
    return " ".join(word(rng) for _ in range(rng.randint(2, 6)))


MAKERS: dict[str, Maker] = {
    "person": person,
    "place": place,
    "label": label,
    "word": word,
    "thing": thing,
    "date": date,
    "amount": amount,
    "number": number,
    "code": code,
    "phrase": phrase,
}
