"""The palettes: every colour of the wizard stands here and nowhere else, under a name that says what it is for.

A style sheet says `$warning` or `$series-train`, never a colour, so that each palette can answer in its own way. The
palettes are near-neutral with one accent hue; other hues appear only where they mean something. Success keeps away
from yellow and red in all of them, because red-green blindness leaves a person little besides lightness and the
difference between blue and yellow. Symbols and words carry the same meaning for whoever sees no colour.

The neutrals are so faint in hue that a terminal of 256 colours shows them as its own greys.
"""

from __future__ import annotations

from collections.abc import Mapping

from textual.theme import Theme

DEFAULT = "tunesmith-dark"
"""What a person sees who chose nothing, on a terminal that shows enough colours."""

MONO = "tunesmith-mono"
"""Greys only; what `NO_COLOR` asks for."""

ANSI = "tunesmith-ansi"
"""The terminal's own 16 colours; for terminals that have no others, and for people who tuned theirs."""

SERIES = ("series-train", "series-validation", "series-match", "series-f1", "series-base")
"""The lines of the live chart: the loss while training and on validation rows; exact match, F1, the untouched model."""


def _painted(
    name: str,
    *,
    ground: tuple[str, str, str],
    text: tuple[str, str, str],
    accent: tuple[str, str, str],
    status: tuple[str, str, str],
    series: tuple[str, str, str, str, str],
    cursor: str,
    edge: str,
    trained: str,
    dark: bool = True,
) -> Theme:
    """A theme of fixed colours.

    Args:
        name: What the theme is called in settings.
        ground: Background, surface (a pane or a field on it) and panel (what lies on top: footer, dialogue).
        text: Foreground, muted (reasons, help) and faint (disabled, placeholders, tokens that are not trained).
            Textual lets black or white through to 60 % for muted text and to 38 % for disabled text and placeholders;
            the latter falls below a contrast of 4.5, and a widget that draws its own cells can read neither, so both
            are fixed colours here.
        accent: Primary, secondary, accent: one hue in three strengths.
        status: Success, warning, error.
        series: The chart's lines, in the order of `SERIES`.
        cursor: Ground of the chosen row. It stays near the surface, so that coloured words in the row stay readable.
        edge: Borders and scrollbars without focus.
        trained: Tokens that the model is trained on.
        dark: Whether the ground is dark.
    """
    background, surface, panel = ground
    foreground, muted, faint = text
    return Theme(
        name=name,
        dark=dark,
        background=background,
        surface=surface,
        panel=panel,
        foreground=foreground,
        primary=accent[0],
        secondary=accent[1],
        accent=accent[2],
        success=status[0],
        warning=status[1],
        error=status[2],
        variables={
            **dict(zip(SERIES, series, strict=True)),
            "masked": faint,
            "trained": trained,
            "muted-style": "none",
            "masked-style": "none",
            "trained-style": "none",
            "text-muted": muted,
            "text-disabled": faint,
            "foreground-muted": muted,
            "foreground-disabled": faint,
            "border": accent[0],
            "border-blurred": edge,
            "block-cursor-background": cursor,
            "block-cursor-foreground": foreground,
            "block-cursor-blurred-background": panel,
            "block-hover-background": panel,
            "button-color-foreground": background,
            "input-selection-background": cursor,
            "screen-selection-background": cursor,
            "scrollbar": edge,
            "scrollbar-hover": muted,
            "scrollbar-background": background,
        },
    )


def _borrowed(name: str) -> Theme:
    """A theme of the terminal's own colours, whatever they are.

    Whether the ground is dark is not known, so text and ground are the terminal's defaults and the chosen row is these
    two reversed. No blue, which the old palettes make too dark to read on black; no bright black for words, which some
    palettes make equal to the ground. What is muted elsewhere is dim here (the `-style` variables).
    """
    return Theme(
        name=name,
        ansi=True,
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        foreground="ansi_default",
        primary="ansi_cyan",
        secondary="ansi_cyan",
        accent="ansi_cyan",
        success="ansi_green",
        warning="ansi_yellow",
        error="ansi_bright_red",
        variables={
            "series-train": "ansi_cyan",
            "series-validation": "ansi_magenta",
            "series-match": "ansi_green",
            "series-f1": "ansi_yellow",
            "series-base": "ansi_default",
            "masked": "ansi_default",
            "trained": "ansi_cyan",
            "muted-style": "dim",
            "masked-style": "dim",
            "trained-style": "bold",
            "surface": "ansi_default",
            "panel": "ansi_default",
            "text-muted": "ansi_default",
            "text-disabled": "ansi_default",
            "foreground-muted": "ansi_default",
            "foreground-disabled": "ansi_default",
            "ansi-background": "ansi_default",
            "ansi-foreground": "ansi_default",
            "border": "ansi_cyan",
            "border-blurred": "ansi_bright_black",
            "block-cursor-background": "ansi_default",
            "block-cursor-foreground": "ansi_default",
            "block-cursor-text-style": "bold reverse",
            "block-cursor-blurred-text-style": "bold",
            "footer-key-foreground": "ansi_cyan",
            "input-selection-background": "ansi_cyan",
            "input-selection-foreground": "ansi_black",
            "screen-selection-background": "ansi_cyan",
            "screen-selection-foreground": "ansi_black",
            "scrollbar": "ansi_cyan",
            "scrollbar-hover": "ansi_cyan",
            "scrollbar-active": "ansi_cyan",
            "scrollbar-background": "ansi_default",
            "scrollbar-background-hover": "ansi_default",
            "scrollbar-background-active": "ansi_default",
            "link-color": "ansi_cyan",
            "link-background-hover": "ansi_default",
            "link-color-hover": "ansi_cyan",
            "link-style-hover": "reverse",
            "markdown-h1-color": "ansi_cyan",
            "markdown-h2-color": "ansi_cyan",
            "markdown-h3-color": "ansi_cyan",
        },
    )


THEMES: tuple[Theme, ...] = (
    _painted(
        DEFAULT,
        ground=("#121417", "#1b1e22", "#25292e"),
        text=("#dfe3e8", "#a4abb4", "#8b929b"),
        accent=("#9fb0ff", "#a9b4d0", "#bac6ff"),
        status=("#56cfd8", "#f2c14e", "#f4604c"),
        series=("#9fb0ff", "#f0a65a", "#c9d66b", "#d08cf5", "#9aa1aa"),
        cursor="#1f2454",
        edge="#4a5058",
        trained="#bac6ff",
    ),
    _painted(
        "tunesmith-light",
        dark=False,
        ground=("#fcfcfb", "#f2f3f4", "#e6e8ea"),
        text=("#1d2126", "#4f5660", "#5f666f"),
        accent=("#2e44a6", "#4b5678", "#2c3a94"),
        status=("#00677c", "#7f5200", "#981b1b"),
        series=("#2e44a6", "#964800", "#66700a", "#8a2fb0", "#636a73"),
        cursor="#d3daf7",
        edge="#b4b9c0",
        trained="#2c3a94",
    ),
    # The colours of the colour-blind safe pair: after Okabe and Ito, "Color Universal Design" (2008), and measured.
    _painted(
        "tunesmith-safe-dark",
        ground=("#121212", "#1c1c1c", "#262626"),
        text=("#e4e4e4", "#ababab", "#919191"),
        accent=("#c4b5fd", "#b5b0c8", "#d6ccff"),
        status=("#56B4E9", "#F0E442", "#EE7624"),
        series=("#56B4E9", "#E69F00", "#F0E442", "#b07fe0", "#a0a0a0"),
        cursor="#282254",
        edge="#4e4e4e",
        trained="#d6ccff",
    ),
    _painted(
        "tunesmith-safe-light",
        dark=False,
        ground=("#ffffff", "#f3f3f3", "#e9e9e9"),
        text=("#1c1c1c", "#525252", "#626262"),
        accent=("#4f2da0", "#5a5470", "#3f2488"),
        status=("#0055CC", "#806000", "#7A1F00"),
        series=("#0055CC", "#8f4a00", "#6b6200", "#7a2fa8", "#6a6a6a"),
        cursor="#e6e0fb",
        edge="#b0b0b0",
        trained="#3f2488",
    ),
    _painted(
        "tunesmith-contrast",
        ground=("#000000", "#0a0a0a", "#1a1a1a"),
        text=("#ffffff", "#d4d4d4", "#b8b8b8"),
        accent=("#9ecbff", "#c6dcff", "#ffffff"),
        status=("#7fdbff", "#ffee58", "#ff9075"),
        series=("#6fd3ff", "#ffb454", "#fff04d", "#e3a6ff", "#c0c0c0"),
        cursor="#001c58",
        edge="#9a9a9a",
        trained="#ffffff",
    ),
    _borrowed(ANSI),
    # Greys far enough apart for lines in one chart; what they are is said by symbol and word.
    _painted(
        MONO,
        ground=("#121212", "#1c1c1c", "#262626"),
        text=("#e4e4e4", "#b0b0b0", "#919191"),
        accent=("#f0f0f0", "#c8c8c8", "#ffffff"),
        status=("#d0d0d0", "#e8e8e8", "#ffffff"),
        series=("#ffffff", "#a6a6a6", "#e0e0e0", "#8a8a8a", "#c2c2c2"),
        cursor="#3a3a3a",
        edge="#585858",
        trained="#ffffff",
    ),
)
"""All palettes, in the order of the menu."""

TITLES: dict[str, str] = {
    DEFAULT: "Dark",
    "tunesmith-light": "Light",
    "tunesmith-safe-dark": "Dark, safe for colour blindness",
    "tunesmith-safe-light": "Light, safe for colour blindness",
    "tunesmith-contrast": "High contrast",
    ANSI: "The terminal's own colours",
    MONO: "Greys only",
}
"""What a person reads in the menu, by the theme's name."""

VARIABLES: dict[str, str] = {
    name: value
    for name, value in THEMES[0].variables.items()
    if name in (*SERIES, "masked", "trained", "muted-style", "masked-style", "trained-style")
}
"""Our own variables with their default values.

An app returns them from `get_theme_variable_defaults`: its style sheet is read once before it has set its theme, and a
theme of Textual's does not know them.
"""

FULL_COLOUR = ("truecolor", "24bit")
MANY_COLOURS = ("256color", "kitty")
NO_COLOURS = ("dumb", "unknown")


def theme_for(environment: Mapping[str, str], chosen: str = "") -> str:
    """The name of the theme to start with.

    `NO_COLOR` wins over everything, even where it is empty: https://no-color.org asks to ignore an empty one, but
    Textual turns grey for it all the same, and greys chosen as greys look better. Then comes what the person chose.
    Otherwise the terminal decides by the signs that Rich reads in `COLORTERM` and `TERM`: where it would squeeze
    everything into 16 colours, the terminal's own are used as they are.

    Args:
        environment: The process's variables.
        chosen: The theme in the person's settings; a name that is not among `THEMES` counts as none.
    """
    if "NO_COLOR" in environment:
        return MONO
    if chosen in TITLES:
        return chosen
    if environment.get("COLORTERM", "").strip().lower() in FULL_COLOUR:
        return DEFAULT
    term = environment.get("TERM", "").strip().lower()
    if term in NO_COLOURS:
        return MONO
    return ANSI if term and term.rpartition("-")[2] not in MANY_COLOURS else DEFAULT
