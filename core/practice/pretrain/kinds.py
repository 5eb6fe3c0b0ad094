"""Kinds of records that the corpus speaks about, and records of no kind at all.

A kind is written as a few lines of text, one field a line::

    keys , synonyms | type of value | predicates ; with {v} | questions ; with {n}

``{n}`` is the record's name and ``{v}`` the field's value. A line that starts with ``=`` is a clause over two fields:
``= key + key | clause with {a} and {b}``. A field without predicates or questions falls back on forms that work for
any key ("The KEY of NAME is VALUE."), and so do records whose keys are drawn at random.

People at work with a hiring date, a department and a salary are the practice *task*; no kind here describes them.
"""

# ruff: noqa: E501 (one field of a kind stands on one line, however long)

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tunesmith.core.practice.pretrain.words import KEYS, MAKERS, WORDS, invented, pick

_KINDS = """
# book | thing
author,writer,written by | person | was written by {v};is the work of {v} | Who wrote {n}?;Who is the author of {n}?
published,publication date,release date | date | was published on {v};came out on {v};appeared on {v} | When was {n} published?;When did {n} come out?
price,cost | amount | costs {v};is sold for {v};has a price of {v} | How much does {n} cost?;What does {n} cost?
genre,subject,shelf | label | belongs to the {v} genre;stands on the {v} shelf;is about {v} | Which genre does {n} belong to?;Which shelf does {n} stand on?
pages,page count | number | has {v} pages;is {v} pages long | How many pages does {n} have?
= published + price | came out on {a} at {b}
# player | person
team,club,squad | label | plays for the {v} team;plays for {v};is in the {v} team | Which team does {n} play for?;Who does {n} play for?;Which team is {n} in?
signed,joined,signing date | date | signed on {v};joined on {v};has played there since {v} | When did {n} sign?;When did {n} join?;When was {n} signed?
wage,pay,yearly pay | amount | earns {v} a year;is paid {v};makes {v} a year;takes home {v} per year | How much does {n} earn?;What does {n} earn?;How much is {n} paid?
goals,points | number | has scored {v} goals;scored {v} points | How many goals has {n} scored?
born in,home town | place | was born in {v};comes from {v} | Where was {n} born?;Where does {n} come from?
= team + signed | joined the {a} team on {b};signed for {a} on {b};has played for the {a} team since {b}
= team + wage | plays for the {a} team for {b} a year;earns {b} a year in the {a} team
= signed + wage | signed on {a} for {b} a year
# student | person
department,faculty,school | label | studies in the {v} department;is enrolled in the {v} department;belongs to the {v} faculty | Which department is {n} in?;Where does {n} study?;Which faculty does {n} belong to?
enrolled,start date,entry date | date | enrolled on {v};started on {v};was admitted on {v} | When did {n} enrol?;When did {n} start?;When was {n} admitted?
grant,stipend | amount | receives {v} a year;gets a grant of {v};lives on {v} per year | How much does {n} receive?;What is the grant of {n}?
tutor,teacher | person | is taught by {v};has {v} as a tutor | Who teaches {n}?;Who is the tutor of {n}?
grade,score | number | scored {v};has a grade of {v} | What did {n} score?
= department + enrolled | joined the {a} department on {b};entered the {a} faculty on {b};has studied in the {a} department since {b}
= department + grant | studies in the {a} department and receives {b} a year
= enrolled + grant | was admitted on {a} with {b} a year
# member | person
club,group,chapter | label | belongs to the {v} club;is part of the {v} group;helps in the {v} group | Which club does {n} belong to?;Which group is {n} part of?
member since,joined,first day | date | joined on {v};became a member on {v};has been a member since {v} | When did {n} join?;When did {n} become a member?;Since when has {n} been a member?
fee,yearly fee | amount | pays {v} a year;pays a fee of {v} | How much does {n} pay?;What does {n} pay a year?
city,town,home | place | lives in {v};is at home in {v} | Where does {n} live?;Which town does {n} live in?
card,card number | code | holds card {v};carries the card {v} | Which card does {n} hold?
= club + member since | joined the {a} club on {b};has belonged to the {a} club since {b};became part of the {a} group on {b}
= club + fee | belongs to the {a} club and pays {b} a year
# patient | person
ward,clinic,unit | label | lies in the {v} ward;is treated in the {v} unit;was moved to the {v} ward | Which ward is {n} in?;Where is {n} treated?
admitted,arrival,last visit | date | was admitted on {v};arrived on {v};came in on {v} | When was {n} admitted?;When did {n} arrive?
doctor,nurse | person | is seen by {v};is treated by {v} | Who treats {n}?;Who sees {n}?
bed,room | code | lies in bed {v};has room {v} | Which bed does {n} have?;Which room is {n} in?
bill,cost | amount | owes {v};has a bill of {v} | How much does {n} owe?
= ward + admitted | came to the {a} ward on {b};has been in the {a} ward since {b}
# ship | thing
captain,master | person | is led by {v};sails under {v} | Who is the captain of {n}?;Who leads {n}?
launched,built,maiden voyage | date | was launched on {v};first sailed on {v};was built on {v} | When was {n} launched?;When was {n} built?
fleet,line,group | label | sails in the {v} fleet;belongs to the {v} line | Which fleet does {n} sail in?;Which line does {n} belong to?
cargo,load | word | carries {v};is loaded with {v} | What does {n} carry?
value,price | amount | is worth {v};cost {v} to build | What is {n} worth?;How much is {n} worth?
home port,port | place | has its home in {v};is moored at {v} | Where is {n} moored?
= fleet + launched | joined the {a} fleet on {b};entered service with the {a} line on {b}
# product | thing
brand,maker | label | is made by {v};is sold under the {v} brand | Who makes {n}?;Which brand is {n}?
price,retail price | amount | costs {v};sells for {v};goes for {v} | How much is {n}?;What does {n} sell for?
stock,in stock | number | is in stock {v} times;has {v} copies left | How many of {n} are left?
section,aisle,area | label | is found in the {v} section;stands in the {v} area | Which section is {n} in?;Where is {n} found?
added,listed on,available from | date | was listed on {v};was added on {v};can be bought since {v} | When was {n} listed?;When was {n} added?
= section + price | is found in the {a} section for {b}
= section + added | was added to the {a} section on {b}
# singer | person
label,choir,band | label | sings with the {v} choir;records for the {v} label;sings in {v} | Which choir does {n} sing with?;Which label does {n} record for?
debut,first concert,joined | date | first sang on {v};made a debut on {v};started on {v} | When did {n} first sing?;When was the debut of {n}?
income,earnings,fee | amount | earns {v} a year;is paid {v} per concert;has an income of {v} | What does {n} earn?;How much does {n} earn a year?
voice,instrument | word | is a {v};plays the {v} | What does {n} play?
home,country | place | lives in {v};tours from {v} | Where does {n} live?
= label + debut | joined the {a} choir on {b};came to the {a} label on {b}
= label + income | sings in the {a} choir and earns {b} a year
# event | thing
date,day,held on | date | takes place on {v};is held on {v};starts on {v} | When is {n}?;When does {n} take place?
venue,place,location | place | takes place in {v};is held in {v} | Where is {n}?;Where does {n} take place?
host,organiser | person | is hosted by {v};is organised by {v} | Who hosts {n}?
entry,ticket price | amount | costs {v} to enter;asks {v} at the door | How much is the entry to {n}?
topic,theme | label | is about {v};has the theme {v} | What is {n} about?;Which theme does {n} have?
# house | thing
owner,landlord | person | belongs to {v};is owned by {v} | Who owns {n}?;Who does {n} belong to?
rent,monthly rent | amount | rents for {v};costs {v} a month | What is the rent of {n}?
built,finished,completed | date | was finished on {v};was completed on {v} | When was {n} finished?;When was {n} completed?
town,street,district | place | stands in {v};is found in {v} | Where is {n}?;Where does {n} stand?
rooms,floors | number | has {v} rooms | How many rooms does {n} have?
# parcel | code
sender,from | person | was sent by {v};comes from {v} | Who sent {n}?
recipient,to,addressee | person | goes to {v};is addressed to {v} | Who is {n} for?
weight,mass | number | weighs {v};has a weight of {v} | What does {n} weigh?;How heavy is {n}?
posted,sent,shipping date | date | was posted on {v};left on {v} | When was {n} posted?;When was {n} sent?
status,state | word | is {v};is marked {v} | What is the status of {n}?
depot,office | label | lies in the {v} depot;was taken to the {v} office | Which depot is {n} in?
# pilot | person
crew,squadron,wing | label | flies with the {v} crew;belongs to the {v} squadron;serves in the {v} wing | Which crew does {n} fly with?;Which squadron is {n} in?
licensed,first flight,since | date | has flown since {v};got a licence on {v};first flew on {v} | When did {n} first fly?;Since when has {n} flown?
plane,aircraft | thing | flies the {v};is in charge of {v} | What does {n} fly?;Which plane does {n} fly?
hours,flights | number | has {v} hours in the air | How many hours does {n} have?
pay,income | amount | earns {v};is paid {v} a year;brings home {v} a year | How much does {n} earn?;What is {n} paid?
= crew + licensed | joined the {a} crew on {b};came to the {a} squadron on {b};has flown with the {a} crew since {b}
= crew + pay | flies with the {a} crew for {b} a year
= licensed + pay | started on {a} and earns {b}
# city | place
mayor,head | person | is led by {v};has {v} as mayor | Who is the mayor of {n}?;Who leads {n}?
people,population | number | has {v} people;is home to {v} people | How many people live in {n}?
founded,charter | date | was founded on {v};dates from {v} | When was {n} founded?
county,region | label | lies in the {v} region;is part of {v} | Which region is {n} in?;Where does {n} lie?
budget,debt | amount | spends {v} a year;has a budget of {v} | How much does {n} spend?
# pet | thing
species,animal | word | is a {v} | What kind of animal is {n}?
keeper,owner | person | belongs to {v};is fed by {v} | Who is the keeper of {n}?;Who feeds {n}?
born,birthday | date | was born on {v};hatched on {v} | When was {n} born?
food,diet | word | eats {v};likes {v} | What does {n} eat?
weight,size | number | weighs {v} | How much does {n} weigh?
house,enclosure | label | lives in the {v} house;sleeps in the {v} enclosure | Where does {n} live?;Which house does {n} live in?
# knight | person
order,house,guard | label | serves the {v} order;rides with the {v} guard;is sworn to the {v} house | Which order does {n} serve?;Which guard does {n} ride with?
sworn in,knighted,took the oath | date | was sworn in on {v};took the oath on {v};was made a knight on {v} | When was {n} sworn in?;When did {n} take the oath?
gold,reward | amount | is paid {v} in gold;receives {v} each year;earns {v} | How much gold is {n} paid?;What does {n} receive?
horse,shield | word | rides a {v};carries a {v} shield | What does {n} ride?
castle,seat | place | lives at {v};guards {v} | Where does {n} live?
= order + sworn in | joined the {a} order on {b};has served in the {a} guard since {b};entered the {a} house on {b}
= order + gold | serves the {a} order for {b} a year
# train | code
driver,conductor | person | is driven by {v} | Who drives {n}?
leaves,departure,time | code | leaves at {v};departs at {v} | When does {n} leave?
destination,to,terminus | place | goes to {v};runs to {v} | Where does {n} go?
platform,track | number | leaves from platform {v} | Which platform does {n} leave from?
line,operator | label | runs on the {v} line;is run by {v} | Which line does {n} run on?;Who runs {n}?
# tool | thing
material,made of | word | is made of {v} | What is {n} made of?
bought,purchase date | date | was bought on {v};was purchased on {v};has been here since {v} | When was {n} bought?
lent to,user,borrower | person | was lent to {v};is used by {v} | Who uses {n}?;Who borrowed {n}?
serial,number | code | has the serial number {v};bears the number {v} | What is the serial number of {n}?
workshop,store | label | is kept in the {v} workshop;hangs in the {v} store | Where is {n} kept?;Which workshop is {n} in?
= workshop + bought | was bought for the {a} workshop on {b};came to the {a} store on {b}
"""


@dataclass(frozen=True)
class Field:
    """One field of a kind: the names it goes by, its type of value, and the ways to state it and to ask for it."""

    keys: tuple[str, ...]
    type: str
    predicates: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of record: what it is called, the type of its name, its fields and its clauses over two fields."""

    noun: str
    name_type: str
    fields: tuple[Field, ...]
    pairs: tuple[tuple[int, int, tuple[str, ...]], ...] = ()


@dataclass
class Record:
    """One record: a kind, a name and a (field index, key in use, value) triple for each field, in drawn order."""

    kind: Kind
    name: str
    entries: list[tuple[int, str, str]] = field(default_factory=list)


def _parts(text: str, separator: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(separator) if part.strip())


def _parse_kind(block: str) -> Kind:
    """One kind from its lines; the format is in the module's docstring."""
    head, *lines = block.strip().splitlines()
    noun, name_type = _parts(head, "|")
    fields: list[Field] = []
    pairs: list[tuple[int, int, tuple[str, ...]]] = []
    for line in lines:
        if line.startswith("="):
            keys, clauses = line[1:].split("|")
            first, second = (_index(fields, key) for key in _parts(keys, "+"))
            pairs.append((first, second, _parts(clauses, ";")))
        else:
            names, value_type, predicates, questions = line.split("|")
            fields.append(
                Field(_parts(names, ","), value_type.strip(), _parts(predicates, ";"), _parts(questions, ";"))
            )
    return Kind(noun, name_type, tuple(fields), tuple(pairs))


def _index(fields: list[Field], key: str) -> int:
    return next(i for i, candidate in enumerate(fields) if candidate.keys[0] == key)


KINDS: tuple[Kind, ...] = tuple(_parse_kind(block) for block in _KINDS.split("# ") if block.strip())

# Fields and name types of people are drawn more often: the verbs of joining, belonging and earning live there.
_WEIGHTS = [3 if kind.name_type == "person" else 1 for kind in KINDS]


def random_kind(rng: Random) -> Kind:
    """A kind that does not exist: a random noun, three to six random keys; some keys are invented words."""
    fields: list[Field] = []
    seen: set[str] = set()
    while len(fields) < rng.randint(3, 6):
        value_type = rng.choice(tuple(KEYS))
        key = rng.choice(KEYS[value_type])
        chance = rng.random()
        if chance < 0.25:
            key, value_type = invented(rng), rng.choice(tuple(MAKERS))
        elif chance < 0.4:
            key = f"{rng.choice(WORDS)} {rng.choice((key, rng.choice(WORDS), invented(rng)))}"
        if key not in seen:
            seen.add(key)
            fields.append(Field((key,), value_type))
    name_type = rng.choice(("person", "person", "thing", "label", "place", "code"))
    return Kind(rng.choice(WORDS) if rng.random() < 0.7 else invented(rng), name_type, tuple(fields))


def draw_kind(rng: Random, known: float = 0.6) -> Kind:
    """A kind from the list with probability ``known``, else a random one."""
    return rng.choices(KINDS, _WEIGHTS)[0] if rng.random() < known else random_kind(rng)


def draw_record(rng: Random, kind: Kind, chosen: list[tuple[int, str]] | None = None) -> Record:
    """A record of ``kind`` with its fields in random order.

    ``chosen`` fixes which fields appear and under which keys (for several records that look alike); the order is drawn
    anew in every record, so a model cannot learn that a field has a place.
    """
    fields = list(chosen or draw_fields(rng, kind))
    rng.shuffle(fields)
    name = MAKERS[kind.name_type](rng)
    record = Record(kind, name)
    taken = {name}
    for index, key in fields:
        value = MAKERS[kind.fields[index].type](rng)
        while value in taken:
            value = pick(rng, WORDS, 0.9) if rng.random() < 0.1 else MAKERS[kind.fields[index].type](rng)
        taken.add(value)
        record.entries.append((index, key, value))
    return record


def draw_fields(rng: Random, kind: Kind) -> list[tuple[int, str]]:
    """Two or more of a kind's fields, each with one of its keys."""
    count = rng.randint(min(2, len(kind.fields)), min(5, len(kind.fields)))
    return [(i, rng.choice(kind.fields[i].keys)) for i in rng.sample(range(len(kind.fields)), count)]
