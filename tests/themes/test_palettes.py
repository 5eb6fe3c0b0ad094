"""The palettes can be read, by people with red-green blindness too, and a real app takes every one of them."""

from __future__ import annotations

import asyncio
import itertools
import math
import re
from pathlib import Path

import pytest
from rich.color import ColorSystem
from textual.app import App, ComposeResult
from textual.color import Color
from textual.theme import Theme
from textual.widgets import Button, DataTable, Footer, Input, OptionList, ProgressBar, RadioButton, Static

import tunesmith.themes
from tunesmith.themes.palettes import ANSI, DEFAULT, MONO, SERIES, THEMES, TITLES, VARIABLES, theme_for

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE
# Transactions on Visualization and Computer Graphics 15 (2009), severity 1.0; they apply to linear RGB.
PROTANOPIA: Matrix = (
    (0.152286, 1.052583, -0.204868),
    (0.114503, 0.786281, 0.099216),
    (-0.003882, -0.048116, 1.051998),
)
DEUTERANOPIA: Matrix = (
    (0.367322, 0.860646, -0.227968),
    (0.280085, 0.672501, 0.047413),
    (-0.011820, 0.042940, 0.968881),
)
NORMAL: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
# IEC 61966-2-1 (sRGB), to CIE XYZ with the white of D65.
XYZ: Matrix = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
WHITE: Triple = (0.95047, 1.0, 1.08883)

ROLES = (
    "primary",
    "secondary",
    "accent",
    "success",
    "warning",
    "error",
    "foreground",
    "background",
    "surface",
    "panel",
)
STATUS = ("success", "warning", "error")
STYLES = ("muted-style", "masked-style", "trained-style")
PAINTED = tuple(theme for theme in THEMES if not theme.ansi)
HUED = tuple(theme for theme in PAINTED if theme.name != MONO)
CONTRAST = "tunesmith-contrast"

each = pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
each_painted = pytest.mark.parametrize("theme", PAINTED, ids=lambda theme: theme.name)
each_hued = pytest.mark.parametrize("theme", HUED, ids=lambda theme: theme.name)


def colours(theme: Theme) -> dict[str, str]:
    """Every variable of the theme, those that Textual derives included."""
    return {**theme.to_color_system().generate(), **theme.variables}


def times(matrix: Matrix, vector: Triple) -> Triple:
    a, b, c = (sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix)
    return a, b, c


def linear(colour: Color) -> Triple:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return red, green, blue


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""
    darker, lighter = sorted(times(XYZ, linear(colour))[1] for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def lab(colour: Color, seen_by: Matrix) -> Triple:
    red, green, blue = (min(1.0, max(0.0, part)) for part in times(seen_by, linear(colour)))

    def curve(value: float) -> float:
        return value ** (1 / 3) if value > (6 / 29) ** 3 else value / (3 * (6 / 29) ** 2) + 4 / 29

    x, y, z = (curve(part / white) for part, white in zip(times(XYZ, (red, green, blue)), WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: str, other: str, *seen_by: Matrix) -> float:
    """The CIE76 distance of two colours for whoever sees them closest."""
    first, second = Color.parse(one), Color.parse(other)
    return min(math.dist(lab(first, eyes), lab(second, eyes)) for eyes in seen_by)


def for_the_blind(one: str, other: str) -> float:
    return distance(one, other, PROTANOPIA, DEUTERANOPIA)


def in_256(colour: str) -> Color:
    """What Rich makes of a colour for a terminal of 256."""
    rounded = Color.parse(colour).rich_color.downgrade(ColorSystem.EIGHT_BIT)
    return Color(*rounded.get_truecolor())


def read_on() -> list[tuple[str, str]]:
    """Which words stand on which ground."""
    grounds = ("background", "surface", "panel")
    words = ("foreground", "text-muted", "foreground-muted", *STATUS, "primary", "secondary", "accent")
    return [
        *itertools.product(words, grounds),
        *itertools.product((*SERIES, "masked", "trained", "text-disabled"), ("background", "surface")),
        *itertools.product(("foreground", "text-muted", "trained", *STATUS), ("block-cursor-background",)),
        ("block-cursor-foreground", "block-cursor-background"),
        ("block-cursor-blurred-foreground", "block-cursor-blurred-background"),
        ("footer-key-foreground", "footer-background"),
        ("input-selection-foreground", "input-selection-background"),
        ("input-cursor-foreground", "input-cursor-background"),
        *itertools.product(("button-color-foreground",), ("primary", *STATUS)),
    ]


def test_the_simulation_gives_the_distances_that_were_measured() -> None:
    """Okabe's and Ito's sky blue, yellow and vermilion; and white against black, by definition 100 and 21."""
    assert for_the_blind("#56B4E9", "#F0E442") == pytest.approx(113, abs=1)
    assert for_the_blind("#56B4E9", "#D55E00") == pytest.approx(89, abs=1)
    assert for_the_blind("#F0E442", "#D55E00") == pytest.approx(34, abs=1)
    assert for_the_blind("#ffffff", "#000000") == pytest.approx(100, abs=0.1)
    assert contrast(Color.parse("#ffffff"), Color.parse("#000000")) == pytest.approx(21, abs=0.01)


@each
def test_a_theme_has_every_role_and_a_title(theme: Theme) -> None:
    for role in ROLES:
        assert getattr(theme, role)
    assert set(VARIABLES) <= set(theme.variables)
    assert TITLES[theme.name]


def test_every_title_belongs_to_a_theme_and_is_its_own() -> None:
    assert list(TITLES) == [theme.name for theme in THEMES]
    assert len(set(TITLES.values())) == len(THEMES)
    assert {DEFAULT, MONO, ANSI} <= set(TITLES)


@each_painted
def test_what_is_written_can_be_read(theme: Theme) -> None:
    values = colours(theme)
    least = 7.0 if theme.name == CONTRAST else 4.5
    weak = {
        f"{word} on {ground}": round(found, 2)
        for word, ground in read_on()
        if (found := contrast(Color.parse(values[word]), Color.parse(values[ground]))) < least
    }
    assert not weak


@each_painted
def test_it_can_be_read_in_256_colours_too(theme: Theme) -> None:
    """The commonest terminal over SSH: `COLORTERM` does not travel, so Rich rounds to the nearest of 256.

    On panels and on the chosen row, rounding may cost a little.
    """
    values = colours(theme)
    weak = {
        f"{word} on {ground}": round(found, 2)
        for word, ground in read_on()
        if (found := contrast(in_256(values[word]), in_256(values[ground])))
        < (4.5 if ground in ("background", "surface") else 4.0)
    }
    assert not weak
    assert len({in_256(values[ground]) for ground in ("background", "surface", "panel")}) == 3


@each_hued
def test_success_is_told_from_warning_and_error_with_red_green_blindness(theme: Theme) -> None:
    values = colours(theme)
    assert for_the_blind(values["success"], values["warning"]) >= 40
    assert for_the_blind(values["success"], values["error"]) >= 40


@each_hued
def test_all_three_are_told_apart_with_full_colour_vision(theme: Theme) -> None:
    values = colours(theme)
    for one, other in itertools.combinations(STATUS, 2):
        assert distance(values[one], values[other], NORMAL) >= 35, (one, other)


@each_hued
def test_lines_of_one_chart_are_told_apart_with_red_green_blindness(theme: Theme) -> None:
    values = colours(theme)
    together = [("series-train", "series-validation"), *itertools.combinations(SERIES[2:], 2)]
    assert {pair: round(found) for pair in together if (found := for_the_blind(*(values[n] for n in pair))) < 30} == {}


@each_hued
def test_all_lines_are_told_apart_with_full_colour_vision(theme: Theme) -> None:
    values = colours(theme)
    near = {
        (one, other): round(found)
        for one, other in itertools.combinations(SERIES, 2)
        if (found := distance(values[one], values[other], NORMAL)) < 25
    }
    assert not near


def test_greys_of_one_chart_differ_in_lightness() -> None:
    values = colours(next(theme for theme in THEMES if theme.name == MONO))
    assert distance(values["series-train"], values["series-validation"], NORMAL) >= 30
    assert distance(values["series-match"], values["series-f1"], NORMAL) >= 30
    assert min(distance(values[a], values[b], NORMAL) for a, b in itertools.combinations(SERIES, 2)) >= 8


@each_painted
def test_trained_tokens_are_told_from_masked_ones(theme: Theme) -> None:
    assert for_the_blind(theme.variables["trained"], theme.variables["masked"]) >= 15
    bright, dim = (
        contrast(Color.parse(theme.variables[name]), Color.parse(str(theme.background)))
        for name in ("trained", "masked")
    )
    assert bright >= 1.4 * dim


@each_painted
def test_panes_lie_visibly_on_the_background_and_the_chosen_row_on_the_pane(theme: Theme) -> None:
    values = colours(theme)
    for one, other in (("panel", "background"), ("block-cursor-background", "surface")):
        assert distance(values[one], values[other], NORMAL) >= 7, (one, other)


def test_mono_has_no_hue_in_anything() -> None:
    """Nor in what Textual derives; its way through L*a*b* may round by a step."""
    values = colours(next(theme for theme in THEMES if theme.name == MONO))
    for name, value in values.items():
        if value.startswith("#"):
            assert max(parts := Color.parse(value).rgb) - min(parts) <= 1, (name, value)
        else:
            assert not value.startswith("ansi_"), name


def test_ansi_takes_every_colour_from_the_terminal() -> None:
    theme = next(theme for theme in THEMES if theme.name == ANSI)
    assert theme.ansi
    for name, value in colours(theme).items():
        assert "#" not in value and "rgb" not in value and "hsl" not in value, (name, value)
    own = [str(getattr(theme, role)) for role in ROLES] + [
        value for name, value in theme.variables.items() if "-style" not in name
    ]
    assert all(value.startswith("ansi_") for value in own)
    assert len({theme.variables[name] for name in SERIES}) == len(SERIES)
    assert len({theme.success, theme.warning, theme.error}) == 3


def test_the_colours_of_the_project_stand_in_the_palettes_only() -> None:
    folder = Path(str(tunesmith.themes.__path__[0]))
    hexadecimal = re.compile(r"""["'\s:]#[0-9a-fA-F]{6}\b""")
    found = [
        str(path)
        for place in (folder, folder.parent / "tui")
        for path in place.rglob("*")
        if path.suffix in (".py", ".tcss") and path.name != "palettes.py" and hexadecimal.search(path.read_text())
    ]
    assert not found


@pytest.mark.parametrize(
    ("environment", "chosen", "name"),
    [
        ({}, "", DEFAULT),
        ({"TERM": "xterm-256color"}, "", DEFAULT),
        ({"TERM": "tmux-256color"}, "", DEFAULT),
        ({"TERM": "screen.xterm-256color"}, "", DEFAULT),
        ({"TERM": "xterm-kitty"}, "", DEFAULT),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "", DEFAULT),
        ({"TERM": "screen", "COLORTERM": "24bit"}, "", DEFAULT),
        ({"TERM": "linux"}, "", ANSI),
        ({"TERM": "vt100"}, "", ANSI),
        ({"TERM": "ansi"}, "", ANSI),
        ({"TERM": "xterm"}, "", ANSI),
        ({"TERM": "xterm-16color"}, "", ANSI),
        ({"TERM": "screen"}, "", ANSI),
        ({"TERM": "screen", "COLORTERM": ""}, "", ANSI),
        ({"TERM": "dumb"}, "", MONO),
        ({"TERM": "linux"}, "tunesmith-light", "tunesmith-light"),
        ({"TERM": "xterm-256color"}, MONO, MONO),
        ({"TERM": "xterm-256color"}, "no-such-theme", DEFAULT),
        ({"TERM": "linux"}, "no-such-theme", ANSI),
        ({"NO_COLOR": "1"}, "", MONO),
        ({"NO_COLOR": "1", "COLORTERM": "truecolor"}, "tunesmith-light", MONO),
        ({"NO_COLOR": ""}, "tunesmith-light", MONO),
        ({"NO_COLOR": "0", "TERM": "linux"}, "", MONO),
    ],
)
def test_the_theme_to_start_with(environment: dict[str, str], chosen: str, name: str) -> None:
    assert theme_for(environment, chosen) == name


NAMES = (*ROLES, *(name for name in VARIABLES if name not in STYLES), "text-muted", "text-disabled")


class Sampler(App[None]):
    """A style sheet that uses every name, over the widgets whose own styles use most of Textual's."""

    CSS = "\n".join(f"#{name} {{ color: ${name}; background: $background; }}" for name in NAMES) + "\n".join(
        f"#{name} {{ text-style: ${name}; }}" for name in STYLES
    )

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return VARIABLES

    def compose(self) -> ComposeResult:
        for name in (*NAMES, *STYLES):
            yield Static(name, id=name)
        yield OptionList("one", "two")
        yield Input(placeholder="type")
        yield RadioButton("choose")
        yield Button("go", variant="primary")
        yield ProgressBar(total=3)
        yield DataTable[str]()
        yield Footer()


def test_an_app_takes_every_theme_and_shows_its_colours() -> None:
    async def look() -> None:
        app = Sampler()
        for theme in THEMES:
            app.register_theme(theme)
        async with app.run_test() as pilot:
            for theme in THEMES:
                app.theme = theme.name
                await pilot.pause()
                values = colours(theme)
                for name in NAMES:
                    assert app.theme_variables[name] == values[name]
                    assert app.query_one(f"#{name}").styles.color == Color.parse(values[name]), (theme.name, name)
                assert app.query_one("#masked-style").styles.text_style.dim == (True if theme.ansi else None)
                assert app.query_one("#trained-style").styles.text_style.bold == (True if theme.ansi else None)

    asyncio.run(look())
