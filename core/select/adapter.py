"""Recommends the adapter: its kind, how much it can hold, where it sits, and how the weights under it are packed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

from tunesmith.core.adapters import KINDS, LITTLE_SAVED
from tunesmith.core.draft import Alternative, Draft
from tunesmith.core.facts import Facts, ModelFacts
from tunesmith.core.load import Load
from tunesmith.core.plan import RANKED, VIRTUAL, Peft, Quantization
from tunesmith.core.reckon import settle
from tunesmith.core.select.rates import TINY

BIDERMAN = "Biderman et al. 2024, arXiv:2405.09673"
HIGH_RANK = 64
"""From this rank on rsLoRA is recommended over LoRA."""
VERA_RANK = 256
"""PEFT's default, as in Kopiczko et al. 2023 (arXiv:2310.11454): its rank costs next to nothing."""
PREFIX_TOKENS, WORD_TOKENS = 50, 20
ALL_LINEAR = "all-linear"
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
FORM = ("style", "classification", "extraction", "safety", "tool-calls")
"""Goals that change how a model answers and not what it knows."""


def much_to_learn(use_case: Any, rows: int) -> str:
    """Why more than a thin adapter may be wanted, as the end of a sentence; empty where nothing speaks for it."""
    if use_case == "domain-language":
        return "a field's own language is much to learn"
    return f"{rows:,} rows hold much to learn" if rows >= 50_000 else ""


def rank_for(parameters: int, rows: int, use_case: Any) -> tuple[int, str]:
    """(rank, why) for plain LoRA."""
    if rows < 200:
        return 8, f"{rows} training rows need no wider adapter (people use 8 to 64)"
    if parameters < TINY:
        return 16, "enough for this small a model: 100 % exact match on the practice task; 8 to 64 is usual"
    much = much_to_learn(use_case, rows)
    if much:
        return HIGH_RANK, f"{much}, and at low ranks LoRA learns less than full fine-tuning ({BIDERMAN})"
    double = "double it while the score on the validation rows still rises"
    if use_case in FORM:
        return 8, f"a new form or manner needs little room (Hu et al. 2021, arXiv:2106.09685, section 7.2); {double}"
    if rows >= 5_000:
        return 16, f"{rows:,} rows; 16 is a good middle between memory and what is learnt ({BIDERMAN}); {double}"
    return 8, f"for {rows:,} rows a narrow adapter is mostly enough (people use 8 to 64); {double}"


def recommend_adapter(draft: Draft, facts: Facts, load: Load, rows: int) -> Load:
    """Fill `select.peft` and whatever belongs to the kind chosen; returns the load with it."""
    if load.method == "full":
        draft.choose("select.peft", "lora", "full fine-tuning trains no adapter; this stands for none")
        return load
    rank, rank_because = rank_for(facts.model.parameters, rows, draft.values.get("understand.use_case"))
    load = replace(load, peft=_kind(draft, rank, load.method))
    if load.peft in RANKED:
        load = _ranked(draft, facts, load, rows, (rank, rank_because))
    else:
        load = replace(load, rank=0, dropout=0.0)
    if load.peft in VIRTUAL:
        load = _virtual(draft, load)
    return _packed(draft, load) if load.method == "qlora" else load


def _kind(draft: Draft, rank: int, method: str) -> Peft:
    """LoRA, at high ranks rsLoRA; the others lose, each with what was measured of it."""
    best: Peft = "rslora" if rank >= HIGH_RANK else "lora"
    others = tuple(Alternative(kind, _why_not(kind)) for kind in get_args(Peft) if kind != best)
    lora, rslora = KINDS["lora"].measured, KINDS["rslora"].measured
    assert lora is not None
    assert rslora is not None
    because = f"understood best, merged without trace: {lora.told()} in PEFT's own comparison"
    if best == "rslora":
        because = f"at a rank of {rank} its scale keeps the steps large: {rslora.told()}, LoRA 47.4 % at that rank"
    chosen = draft.choose("select.peft", best, because, others)
    return chosen if chosen in get_args(Peft) else best


def _why_not(kind: Peft) -> str:
    """What speaks against a kind, with what was measured of it."""
    measured = KINDS[kind].measured
    return AGAINST[kind] + (f": {measured.told()}" if measured else "")


AGAINST: dict[Peft, str] = {
    "lora": "at high ranks its scale holds it back",
    "dora": "a quarter slower",
    "rslora": "made for ranks of 64 and more",
    "pissa": "changes the frozen weights while it trains, and gives a file of twice the size",
    "adalora": "a quarter slower, and wants many steps",
    "vera": "learns less; small files are its point",
    "ia3": "learns less, and saves no memory over LoRA",
    "ln-tuning": "so few numbers that little is learnt",
    "prefix": "learns less, saves little memory, can't be merged",
    "prompt": "learns less, takes more memory, since each row gets longer, can't be merged",
    "p-tuning": "learns less, saves little memory, can't be merged",
}


def _ranked(draft: Draft, facts: Facts, load: Load, rows: int, found: tuple[int, str]) -> Load:
    rank, because = found
    if load.peft == "vera":
        rank, because = (
            VERA_RANK,
            "its matrices are random and shared, so a high rank costs a number a layer and no more",
        )
    rank = max(1, int(settle(draft, "select.lora.rank", rank, because)))
    alpha, because = 2 * rank, "twice the rank, so the learning rate holds for any rank"
    if load.peft == "rslora":
        alpha, because = rank, "the rank itself: divided by √r it is larger than LoRA's 2 from rank 4 on"
    elif load.peft == "vera":
        because = "not used by VeRA, which learns its scale"
    draft.choose("select.lora.alpha", min(4096, alpha), because)
    targets = _targets(draft, facts)
    dropout, because = 0.05, "a little, against learning few rows by heart (arXiv:2305.14314 took 0.05 to 0.1)"
    if rows >= 50_000:
        dropout, because = 0.0, f"{rows:,} rows are hardly learnt by heart, and without it a step is faster"
    if facts.model.experts and targets == ALL_LINEAR:
        dropout, because = 0.0, "adapters on experts take none (PEFT 0.21)"
    dropout = settle(draft, "select.lora.dropout", dropout, because)
    return replace(load, rank=rank, dropout=min(dropout, 0.99), target_modules=targets)


def usual_targets(model: ModelFacts) -> str | tuple[str, ...]:
    """Where an adapter sits if nobody says otherwise: of a mixture of experts on the attention alone."""
    return ATTENTION if model.experts else ALL_LINEAR


def _targets(draft: Draft, facts: Facts) -> str | tuple[str, ...]:
    """Where the adapter sits: on every linear layer; on the attention alone where experts take turns."""
    few = Alternative("q_proj, v_proj", "smaller, as LoRA was first used, but learns less")
    because = "adapting every linear layer is needed to match full fine-tuning (arXiv:2305.14314)"
    alone = f"attention alone learns less than the feed-forward part alone ({BIDERMAN}, section 4.6)"
    others = (few, Alternative(", ".join(ATTENTION), alone))
    if facts.model.experts:
        because = "of a mixture of experts the part that every token goes through; the experts take turns"
        others = (few, Alternative(ALL_LINEAR, "reaches the experts where PEFT can: many more numbers, no dropout"))
    usual = usual_targets(facts.model)
    recommended = usual if isinstance(usual, str) else list(usual)
    return _names(draft.choose("select.lora.target_modules", recommended, because, others))


def _names(target: Any) -> str | tuple[str, ...]:
    return tuple(str(name) for name in target) if isinstance(target, list | tuple) else ALL_LINEAR


def _virtual(draft: Draft, load: Load) -> Load:
    if load.peft == "prefix":
        tokens = PREFIX_TOKENS
        because = "50 did better than 200 in PEFT's own comparison; the paper took 10 to 200"
    else:
        tokens = WORD_TOKENS
        because = "beyond 20 little is gained (Lester et al. 2021, arXiv:2104.08691, figure 3a), and each costs memory"
    return replace(load, virtual_tokens=max(1, int(settle(draft, "select.virtual_tokens", tokens, because))))


def _packed(draft: Draft, load: Load) -> Load:
    packing = draft.choose(
        "select.quantization.type",
        "nf4",
        "made for weights that are normally distributed, as these are",
        (
            Alternative("fp4", "the same memory, and loses more (arXiv:2305.14314, table 2)"),
            Alternative("int8", "twice the memory, and slower; loses least (Dettmers et al. 2022, arXiv:2208.07339)"),
        ),
    )
    eight = packing == "int8"
    because = "8-bit weights have no packed scales" if eight else "packs the scales too, at no loss that was measured"
    double = settle(draft, "select.quantization.double", not eight, because)
    known = packing if packing in get_args(Quantization.model_fields["type"].annotation) else "nf4"
    return replace(load, double_quantization=double, quantization=known)  # type: ignore[arg-type]


def saves_little(peft: Peft) -> str:
    """What to know of the memory of a kind that is often chosen to save it; empty for the others."""
    return LITTLE_SAVED if peft in (*VIRTUAL, "ia3") else ""
