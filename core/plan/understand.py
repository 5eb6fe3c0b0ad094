"""The section `understand`: what is wanted, how it is measured, and which way leads there."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tunesmith.core.plan.section import Section, knob

UseCase = Literal[
    "question-answering",
    "classification",
    "extraction",
    "summarisation",
    "translation",
    "style",
    "instruction-following",
    "domain-language",
    "safety",
    "tool-calls",
    "preference",
    "other",
]
Users = Literal["myself", "team", "customers", "programs"]
Metric = Literal["exact_match", "f1", "accuracy", "rouge_l", "bleu", "perplexity"]
BusinessMetric = Literal["none", "user-rating", "tickets-avoided", "time-saved", "response-time"]
Lacking = Literal["unknown", "format", "facts", "tone", "accuracy", "cost", "speed"]
Changes = Literal["never", "yearly", "monthly", "weekly", "daily"]
ExampleForm = Literal["pairs", "documents", "preferences", "none"]
Quality = Literal["unknown", "checked", "mixed", "noisy"]
Latency = Literal["any", "seconds", "instant"]
Privacy = Literal["may-leave", "must-stay"]
Scale = Literal["hundreds", "thousands", "millions"]
Tried = Literal["prompt", "few-shot", "retrieval", "fine-tune"]
Approach = Literal[
    "prompt",
    "few-shot",
    "retrieval",
    "fine-tune",
    "fine-tune-retrieval",
    "smaller-model",
    "continued-pretraining",
    "preference-optimisation",
    "classifier",
    "no-model",
]
TRAINS: tuple[Approach, ...] = ("fine-tune", "fine-tune-retrieval", "smaller-model")
"""The approaches that are supervised fine-tuning: what Tunesmith trains itself. The others are advised, and for them
a run stops before the training unless the person says otherwise."""


class Evidence(Section):
    """What the untouched model does on the person's own rows, before anything is trained."""

    shots: list[int] = knob(
        "Examples in the prompt",
        "With how many examples from the training rows in its prompt the untouched model is scored before the "
        "training; 0 is the question alone. An empty list leaves this out.",
        usual="0, 1, 3 and 5",
        source="Brown et al. 2020, arXiv:2005.14165",
        default_factory=lambda: [0, 1, 3, 5],
    )
    stop: bool = knob(
        "Stop before training",
        "Whether the run stops before the training where the untouched model reaches the goal already, or where the "
        "approach is one without training. It can go on from there.",
        default=True,
    )

    @model_validator(mode="after")
    def _shots_few(self) -> Evidence:
        if any(not 0 <= shots <= MOST_SHOTS for shots in self.shots) or len(set(self.shots)) < len(self.shots):
            raise ValueError(f"evidence.shots are different whole numbers from 0 to {MOST_SHOTS}")
        return self


MOST_SHOTS = 50
"""Examples in one prompt; more than that is a training set."""


class Understand(Section):
    """What is wanted, and whether fine-tuning is the way to it."""

    goal: str = knob(
        "Goal",
        "What the tuned model is for, in one sentence. It goes into the report and the model card.",
        question="What should the model do?",
    )
    use_case: UseCase = knob(
        "Use case",
        "The kind of task. It decides what is advised and which measures make sense.",
        question="What kind of task is it?",
        labels={
            "question-answering": "question answering",
            "instruction-following": "instruction following",
            "domain-language": "domain language",
            "tool-calls": "tool calls",
        },
        meanings={
            "question-answering": "questions with one right answer",
            "classification": "a label for each text",
            "extraction": "values taken out of a text",
            "summarisation": "a long text made short",
            "translation": "from one language into another",
            "style": "a way of answering: tone, form, persona",
            "instruction-following": "all sorts of instructions, obeyed",
            "domain-language": "the vocabulary and usage of a field",
            "safety": "what must be refused, and how",
            "tool-calls": "calls of functions, with the right arguments",
            "preference": "of two answers, the one that people like better",
            "other": "none of these",
        },
    )
    users: Users = knob(
        "Users",
        "Who reads the answers. The further away they are, the more a wrong answer costs and the more must be checked.",
        question="Who uses the answers?",
        meanings={
            "myself": "you alone",
            "team": "colleagues, who know the subject",
            "customers": "people outside, who believe what they read",
            "programs": "other software, which needs an exact form",
        },
        default="team",
    )
    metric: Metric = knob(
        "Metric",
        "What success is measured by. Exact match counts answers that are right to the letter after normalising case, "
        "punctuation and articles; F1 counts shared words, so it suits longer answers; accuracy is exact match for "
        "labels; ROUGE-L counts what is said in the same order, for summaries; BLEU compares short runs of words, for "
        "translations; perplexity is how surprised the model is by the right answer (lower is better, 1 is best).",
        question="How is success measured?",
        labels={"exact_match": "exact match", "f1": "F1", "rouge_l": "ROUGE-L", "bleu": "BLEU"},
        meanings={
            "exact_match": "an answer is right to the letter, or wrong",
            "f1": "by the words it shares with the right one",
            "accuracy": "the share of right labels",
            "rouge_l": "by the longest common run of words, for summaries",
            "bleu": "by shared runs of up to four words, for translations",
            "perplexity": "how surprised it is by the right answer",
        },
        source="Exact match and F1: Rajpurkar et al. 2016 (SQuAD), arXiv:1606.05250; ROUGE-L: Lin 2004; "
        "BLEU: Papineni et al. 2002, as sacrebleu computes it (Post 2018, arXiv:1804.08771)",
    )
    threshold: float = knob(
        "Goal to reach",
        "The score on held-out rows from which on the model counts as good enough: a share from 0 to 1; for "
        "perplexity the highest value that will do.",
        question="How good is good enough?",
        usual="0.80 to 0.99 for exact match",
        ge=0,
        le=1000,
    )
    business_metric: BusinessMetric = knob(
        "Business measure",
        "What should get better in real use. Tunesmith can't measure it; it goes into the report as a reminder of "
        "what to watch after the launch.",
        question="What should get better in real use?",
        labels={
            "user-rating": "user rating",
            "tickets-avoided": "tickets avoided",
            "time-saved": "time saved",
            "response-time": "response time",
        },
        meanings={
            "none": "nothing that is counted",
            "user-rating": "what users think of the answers",
            "tickets-avoided": "requests that need no person any more",
            "time-saved": "working time a task takes",
            "response-time": "how long somebody waits for an answer",
        },
        default="none",
    )
    business_goal: str = knob(
        "Business goal",
        "The business measure today and where it should be, in your own words; it stands in the report beside what to "
        "watch after the launch. It may be left empty.",
        question="How much better should that get?",
        default="",
    )
    error_cost: Literal["low", "medium", "high"] = knob(
        "Cost of an error",
        "What happens when an answer is wrong and nobody notices. Where that is grave, a person must stay in the loop.",
        question="What does a wrong answer cost?",
        meanings={
            "low": "somebody notices and asks again",
            "medium": "work is done twice, a customer is annoyed",
            "high": "health, law, or much money",
        },
        default="medium",
    )
    lacking: Lacking = knob(
        "What is lacking",
        "What is wrong with the answers of a model that was not tuned. Each lack has another remedy.",
        question="What is lacking without tuning?",
        meanings={
            "unknown": "not looked at yet",
            "format": "right, but not in the form that is needed",
            "facts": "it does not know what it would have to know",
            "tone": "it does not sound as it should",
            "accuracy": "it does the task, but with too many errors",
            "cost": "a large model does it, for too much money",
            "speed": "a large model does it, too slowly",
        },
        default="unknown",
    )
    knowledge_changes: Changes = knob(
        "Knowledge changes",
        "How often the facts change that right answers depend on. What is trained in stays as it was on that day.",
        question="How often do the facts change?",
        meanings={
            "never": "or they come with each question",
            "yearly": "once a year or so",
            "monthly": "every month",
            "weekly": "every week",
            "daily": "every day or more often",
        },
        default="never",
    )
    examples: int = knob(
        "Examples",
        "Examples of what is wanted that you have or can get.",
        question="How many examples are there?",
        unit="examples",
        usual="100 to 10,000",
        source="Zhou et al. 2023 (LIMA), arXiv:2305.11206: 1,000 good ones go far",
        ge=0,
        default=0,
    )
    example_form: ExampleForm = knob(
        "Form of the examples",
        "What the examples look like: it decides what can be trained with them.",
        question="Which form do they have?",
        labels={"pairs": "question-answer pairs"},
        meanings={
            "pairs": "an input with the answer that is wanted",
            "documents": "running text, without questions",
            "preferences": "two answers, and which one is better",
            "none": "there are none yet",
        },
        default="pairs",
    )
    quality: Quality = knob(
        "Quality of the examples",
        "How far the examples can be trusted. A model learns the errors in them as well.",
        question="How good are they?",
        meanings={
            "unknown": "nobody looked",
            "checked": "people read them, and they are right",
            "mixed": "most are right",
            "noisy": "many are wrong, or contradict each other",
        },
        default="unknown",
    )
    latency: Latency = knob(
        "Answer time",
        "How long an answer may take. It bounds the size of the model and what can be put into its prompt.",
        question="How fast must it answer?",
        labels={"any": "no hurry", "seconds": "within seconds"},
        meanings={
            "any": "it may take its time",
            "seconds": "somebody is waiting: a few seconds",
            "instant": "while somebody types: under half a second",
        },
        default="seconds",
    )
    privacy: Privacy = knob(
        "Privacy",
        "Whether the data may be sent to a service outside. Tunesmith itself sends nothing anywhere.",
        question="May the data leave this machine?",
        labels={"must-stay": "must stay", "may-leave": "may leave"},
        meanings={"must-stay": "everything is done here", "may-leave": "a hosted model could be used as well"},
        default="must-stay",
    )
    scale: Scale = knob(
        "Scale",
        "Questions a day once it is in use. At a large scale the price of each answer decides.",
        question="How many questions a day?",
        meanings={
            "hundreds": "up to a thousand",
            "thousands": "up to a hundred thousand",
            "millions": "more than that",
        },
        default="hundreds",
    )
    budget_money: float | None = knob(
        "Budget, money",
        "The most that this training may cost, in US dollars; empty for no limit.",
        question="What may it cost?",
        empty="no limit",
        unit="US dollars",
        ge=0,
        default=None,
    )
    budget_hours: float | None = knob(
        "Budget, time",
        "The longest that this training may take, in hours; empty for no limit.",
        question="How long may it take?",
        empty="no limit",
        unit="hours",
        gt=0,
        default=None,
    )
    tried: list[Tried] = knob(
        "Already tried",
        "What has been tried before fine-tuning; the cheaper ways should come first.",
        question="What was tried already?",
        labels={"few-shot": "few-shot prompt", "fine-tune": "fine-tuning"},
        meanings={
            "prompt": "instructions in the prompt",
            "few-shot": "examples in the prompt",
            "retrieval": "facts looked up and put into the prompt",
            "fine-tune": "a training, by whatever tool",
        },
    )
    approach: Approach = knob(
        "Approach",
        "Prompting changes only the question, retrieval brings the facts into the prompt, fine-tuning changes how the "
        "model answers. They can be combined. Where the approach is one without training, the run scores the "
        "untouched model, writes a prompt file from your examples, and stops there.",
        question="Which way to go?",
        labels={
            "prompt": "prompting",
            "few-shot": "few-shot prompting",
            "fine-tune": "fine-tuning",
            "fine-tune-retrieval": "fine-tuning with retrieval",
            "smaller-model": "tuning a smaller model",
            "continued-pretraining": "continued pretraining",
            "preference-optimisation": "preference optimisation",
            "classifier": "a plain classifier",
            "no-model": "no language model",
        },
        meanings={
            "prompt": "better instructions, no training",
            "few-shot": "instructions with examples, no training",
            "retrieval": "facts looked up and put into the prompt",
            "fine-tune": "train the model on examples",
            "fine-tune-retrieval": "train it to answer from what is looked up",
            "smaller-model": "train a small one to do what a large one does",
            "continued-pretraining": "more of the field's own text, then examples",
            "preference-optimisation": "learn from pairs of better and worse",
            "classifier": "a small encoder, or plain statistics",
            "no-model": "rules, a search, a form: no language model",
        },
    )
    evidence: Evidence = Field(default_factory=Evidence)

    @model_validator(mode="after")
    def _threshold_in_reach(self) -> Understand:
        if self.metric == "perplexity" and self.threshold < 1:
            raise ValueError("threshold: no perplexity is below 1; state the highest that will do, 1.5 say")
        if self.metric != "perplexity" and self.threshold > 1:
            raise ValueError("threshold: a share from 0 to 1 is wanted; write 0.9 for 90 %")
        return self
