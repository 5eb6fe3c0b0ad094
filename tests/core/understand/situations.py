"""Situations as people bring them, each with the way that must be advised: one line each, read by the tests beside it.

What a line does not say is as in `USUAL`: a team's questions, a model of seven billion parameters, 400 good pairs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tunesmith.core.understand.situation import Situation

B = 1_000_000_000
USUAL: dict[str, Any] = {"use_case": "other", "metric": "f1", "examples": 400, "parameters": 7 * B}


class Case(NamedTuple):
    told: str
    best: str
    answers: dict[str, Any]

    @property
    def situation(self) -> Situation:
        return Situation(**{**USUAL, **self.answers})


def case(told: str, best: str, **answers: Any) -> Case:
    return Case(told, best, answers)


QA = {"use_case": "question-answering"}
FROM_TEXT = {**QA, "has_context": True, "metric": "exact_match"}
LABELS = {"use_case": "classification", "metric": "accuracy"}
TRANSLATION = {"use_case": "translation", "metric": "bleu"}
CALLS = {"use_case": "tool-calls"}
PROMPTED = ("prompt", "few-shot")

CASES: tuple[Case, ...] = (
    # What was tried: the last resort, not the first step
    case("nothing is known and nothing was tried", "few-shot"),
    case("a prompt was tried, without examples", "few-shot", tried=("prompt",)),
    case("prompt and examples were tried and were not enough", "fine-tune", tried=PROMPTED),
    case("a training was tried before any prompt", "few-shot", tried=("fine-tune",)),
    case("everything was tried, a training too", "fine-tune-retrieval", tried=(*PROMPTED, "retrieval", "fine-tune")),
    case("a hosted model may be asked, nothing was tried", "prompt", privacy="may-leave"),
    case("data must stay, a model of 3 B, nothing tried", "few-shot", parameters=3 * B),
    case("instructions of all sorts, for an instruct model", "prompt", use_case="instruction-following"),
    # Facts
    case("prices that change weekly", "retrieval", **QA, knowledge_changes="weekly"),
    case("stock that changes daily, in the context", "fine-tune-retrieval", **FROM_TEXT, knowledge_changes="daily"),
    case("a handbook that changes monthly", "retrieval", **QA, knowledge_changes="monthly"),
    case("policies that change monthly, prompts tried", "retrieval", knowledge_changes="monthly", tried=PROMPTED),
    case("the same with 8,000 rows, read by customers", "retrieval", knowledge_changes="monthly", tried=PROMPTED,
         examples=8000, users="customers"),
    case("the same for colleagues, where errors are grave", "retrieval", knowledge_changes="monthly", tried=PROMPTED,
         examples=8000, error_cost="high"),
    case("the same, after a training that was not enough", "retrieval", knowledge_changes="monthly", examples=8000,
         tried=(*PROMPTED, "fine-tune")),
    case("the form is still lacking, facts change monthly", "fine-tune", knowledge_changes="monthly", lacking="format",
         tried=PROMPTED),
    case("law that changes yearly, facts lacking", "retrieval", knowledge_changes="yearly", lacking="facts"),
    case("questions without a text", "retrieval", **QA, metric="exact_match"),
    case("questions without a text, retrieval not enough", "fine-tune-retrieval", **QA, tried=(*PROMPTED, "retrieval")),
    case("facts are lacking, prompts were tried", "retrieval", lacking="facts", tried=PROMPTED),
    case("50,000 questions without a text, prompts tried", "retrieval", **QA, metric="exact_match", examples=50_000,
         tried=PROMPTED, parameters=600_000_000),
    case("the same, with too many errors", "retrieval", **QA, metric="exact_match", examples=50_000, lacking="accuracy",
         tried=PROMPTED),
    case("400 questions without a text, small model, prompts tried", "retrieval", **QA, metric="exact_match",
         tried=PROMPTED, parameters=600_000_000),
    case("values out of texts that change daily", "fine-tune", use_case="extraction", knowledge_changes="daily",
         examples=10_000, lacking="accuracy", tried=PROMPTED),
    case("tickets of customers, answers from a handbook", "retrieval", **QA, users="customers", error_cost="medium"),
    case("documents and no questions", "retrieval", **QA, example_form="documents", examples=3000),
    # Form and manner
    case("the form is lacking, nothing was tried", "few-shot", lacking="format", use_case="extraction"),
    case("the form of a style is lacking", "few-shot", use_case="style", lacking="format", examples=1000),
    case("the form is lacking, though examples were tried", "fine-tune", lacking="format", tried=PROMPTED),
    case("a brand's tone", "fine-tune", use_case="style", lacking="tone", tried=PROMPTED, quality="checked"),
    case("a persona, nothing was tried", "fine-tune", use_case="style", examples=1000, quality="checked"),
    case("the tone is lacking, a prompt was tried", "fine-tune", use_case="summarisation", lacking="tone",
         tried=("prompt",)),
    case("the tone is lacking in summaries", "fine-tune", use_case="summarisation", lacking="tone", tried=PROMPTED),
    case("a tone, with 30 examples", "few-shot", use_case="style", lacking="tone", examples=30),
    case("a tone, with 120 examples, a prompt was tried", "few-shot", lacking="tone", examples=120, tried=("prompt",)),
    case("a tone, with 15 examples, prompts tried", "few-shot", use_case="style", lacking="tone", examples=15,
         tried=PROMPTED),
    case("a style, with 11 examples, prompts tried", "few-shot", use_case="style", examples=11, tried=PROMPTED),
    case("a tone, with 5 examples, prompts tried", "prompt", lacking="tone", examples=5, tried=PROMPTED),
    case("the form is still lacking, with 12 examples", "few-shot", use_case="extraction", lacking="format",
         examples=12, tried=PROMPTED),
    # Reading from a text: the practice project and files like it
    case("the practice project", "fine-tune", **FROM_TEXT, examples=410, parameters=2_200_000),
    case("own questions with context, small model", "fine-tune", **FROM_TEXT, examples=300, parameters=600_000_000),
    case("own questions with context, large model", "fine-tune", **FROM_TEXT, examples=300),
    case("questions with context that may leave", "prompt", **QA, has_context=True, privacy="may-leave"),
    case("an own file of chats, small model", "fine-tune", use_case="style", parameters=2_200_000),
    case("own questions without context, small model", "retrieval", **QA, metric="exact_match", parameters=2_200_000),
    case("prompts and completions of any kind, small model", "fine-tune", parameters=2_200_000),
    case("own questions with context, long answers", "fine-tune", **QA, has_context=True, parameters=2_200_000),
    case("questions with context, 40 of them", "few-shot", **FROM_TEXT, examples=40),
    case("questions with context, 20 of them, prompts tried", "few-shot", **FROM_TEXT, examples=20, tried=PROMPTED),
    # Labels
    case("mails into folders, 120 labelled", "fine-tune", **LABELS, examples=120),
    case("mails into folders, 800 labelled", "classifier", **LABELS, examples=800),
    case("mails into folders, 800 labelled, prompts tried", "classifier", **LABELS, examples=800, tried=PROMPTED),
    case("comments checked while they are typed", "classifier", **LABELS, examples=300, latency="instant"),
    case("comments checked while they are typed, 40 labelled", "classifier", **LABELS, examples=40, latency="instant"),
    case("documents to be sorted into folders", "few-shot", **LABELS, example_form="documents", examples=3000),
    case("millions of texts a day, labelled", "classifier", **LABELS, examples=300, scale="millions"),
    case("thousands of texts a day, labelled", "classifier", **LABELS, examples=300, scale="thousands"),
    case("20 labelled texts", "few-shot", **LABELS, examples=20),
    case("20 labelled texts, prompts were not enough", "classifier", **LABELS, examples=20, tried=PROMPTED),
    case("too many errors in labels, 120 of them", "few-shot", **LABELS, examples=120, lacking="accuracy",
         tried=("prompt",)),
    # Other tasks
    case("dates out of forms, for a program, at once", "no-model", use_case="extraction", users="programs",
         latency="instant", metric="exact_match", examples=30),
    case("dates out of forms, for a program, millions a day", "no-model", use_case="extraction", users="programs",
         scale="millions", metric="exact_match", examples=0, error_cost="high"),
    case("values out of letters, prompts not enough", "fine-tune", use_case="extraction", tried=PROMPTED),
    case("the same for a program, where errors are grave", "fine-tune", use_case="extraction", tried=PROMPTED,
         users="programs", error_cost="high"),
    case("values out of documents, none worked by hand", "few-shot", use_case="extraction", example_form="documents",
         examples=3000),
    case("summaries of meetings", "prompt", use_case="summarisation", metric="rouge_l"),
    case("summaries, prompts not enough", "fine-tune", use_case="summarisation", metric="rouge_l", tried=PROMPTED),
    case("translation, 400 pairs", "few-shot", **TRANSLATION),
    case("translation, 5,000 pairs, nothing was tried", "few-shot", **TRANSLATION, examples=5000),
    case("translation, 2,000 pairs, nothing was tried", "few-shot", **TRANSLATION, examples=2000),
    case("translation, 20,000 pairs, a prompt was tried", "fine-tune", **TRANSLATION,
         examples=20_000, tried=("prompt",)),
    case("the same, of mixed quality", "few-shot", **TRANSLATION, examples=20_000,
         tried=("prompt",), quality="mixed"),
    case("translation, 20,000 pairs, prompts tried", "fine-tune", **TRANSLATION,
         examples=20_000, tried=PROMPTED),
    case("reports of a field, 5,000 documents", "continued-pretraining", use_case="domain-language",
         metric="perplexity", example_form="documents", examples=5000, tried=PROMPTED),
    case("reports of a field, nothing was tried", "retrieval", use_case="domain-language", metric="perplexity",
         example_form="documents", examples=5000),
    case("reports of a field, 20 documents", "retrieval", use_case="domain-language", metric="perplexity",
         example_form="documents", examples=20, tried=PROMPTED),
    case("documents of a field, no money", "retrieval", use_case="domain-language", metric="perplexity",
         example_form="documents", examples=5000, budget_money=0.0, tried=PROMPTED),
    case("documents of a field, the facts change weekly", "retrieval", use_case="domain-language",
         metric="perplexity", example_form="documents", examples=5000, knowledge_changes="weekly"),
    case("documents of a field, $20", "retrieval", use_case="domain-language", metric="perplexity",
         example_form="documents", examples=5000, budget_money=20.0, tried=PROMPTED),
    case("answers in a field's terms", "fine-tune", use_case="domain-language", tried=("prompt",), examples=2000),
    case("perplexity where errors are grave", "few-shot", use_case="domain-language", metric="perplexity",
         error_cost="high"),
    case("what must be refused", "prompt", use_case="safety"),
    case("what must be refused, prompts not enough", "classifier", use_case="safety", tried=PROMPTED, examples=150),
    case("tool calls, nothing was tried", "few-shot", **CALLS, metric="exact_match", examples=50),
    case("tool calls that fetch what changes weekly", "few-shot", **CALLS, knowledge_changes="weekly"),
    case("calls of own functions, a prompt was tried", "fine-tune", **CALLS, tried=("prompt",), examples=900),
    case("calls of own functions, prompts were tried", "fine-tune", **CALLS, tried=PROMPTED, examples=900),
    case("pairs of better and worse", "preference-optimisation", use_case="preference", example_form="preferences",
         examples=3000, tried=PROMPTED),
    case("pairs of better and worse, nothing was tried", "few-shot", use_case="preference",
         example_form="preferences", examples=3000),
    case("documents and what people like in them", "few-shot", use_case="preference", example_form="documents",
         examples=3000),
    case("pairs of better and worse, nothing was tried, small model", "preference-optimisation", use_case="preference",
         example_form="preferences", examples=3000, parameters=2_200_000),
    case("votes on answers, another task", "preference-optimisation", example_form="preferences", examples=2000,
         tried=PROMPTED),
    case("150 comparisons, small model", "preference-optimisation", use_case="preference", example_form="preferences",
         examples=150, tried=PROMPTED, parameters=2_200_000),
    case("what people like, without comparisons", "fine-tune", use_case="preference", tried=PROMPTED),
    # The examples
    case("no examples yet", "prompt", example_form="none", examples=0),
    case("no examples of a style, prompts tried", "prompt", use_case="style", example_form="none", examples=0,
         tried=PROMPTED),
    case("no examples, whatever the file counts", "prompt", use_case="style", example_form="none", examples=400,
         tried=PROMPTED),
    case("too expensive, nothing was tried, no examples", "prompt", use_case="style", lacking="cost", scale="millions",
         example_form="none", examples=0),
    case("a tone and facts that change daily, no examples", "retrieval", **QA, lacking="tone", example_form="none",
         examples=0, knowledge_changes="daily", tried=PROMPTED),
    case("three examples", "prompt", examples=3),
    case("20 examples, prompts tried", "few-shot", examples=20, tried=("prompt",)),
    case("noisy examples, prompts tried", "few-shot", quality="noisy", tried=PROMPTED),
    case("a style from noisy chats", "few-shot", use_case="style", quality="noisy", examples=2000),
    case("mixed examples, prompts tried", "fine-tune", quality="mixed", tried=PROMPTED),
    # Accuracy, cost, speed
    case("accuracy is lacking, 2,000 examples", "fine-tune", lacking="accuracy", examples=2000, tried=("prompt",)),
    case("accuracy is lacking, 30 examples", "few-shot", lacking="accuracy", examples=30, tried=PROMPTED),
    case("a large model is too expensive", "smaller-model", lacking="cost", scale="millions", tried=PROMPTED),
    case("a large model is too slow", "smaller-model", lacking="speed", business_metric="response-time",
         tried=("prompt",)),
    case("completions while somebody types", "smaller-model", latency="instant", examples=8000, tried=PROMPTED),
    case("millions of questions a day", "smaller-model", scale="millions", tried=PROMPTED),
    case("waiting counts, thousands of questions a day", "smaller-model", scale="thousands", tried=PROMPTED,
         business_metric="response-time", examples=8000),
    case("thousands of questions a day, at a cost", "smaller-model", lacking="cost", scale="thousands"),
    case("too expensive, and there are no examples", "smaller-model", lacking="cost", example_form="none", examples=0,
         tried=PROMPTED, parameters=70 * B),
    case("too slow, and there are no examples", "smaller-model", lacking="speed", example_form="none", examples=0,
         tried=PROMPTED, parameters=70 * B),
    *(
        case(f"{told}, {more}", "smaller-model", **answers, **limit, tried=PROMPTED, examples=2000)
        for told, answers in (
            ("values out of letters", {"use_case": "extraction", "metric": "exact_match"}),
            ("a field's translations", TRANSLATION),
            ("answers in a brand's tone", {"use_case": "style", "lacking": "tone"}),
            ("calls of own functions", CALLS),
            ("questions with their text", FROM_TEXT),
        )
        for more, limit in (("millions a day", {"scale": "millions"}), ("at once", {"latency": "instant"}))
    ),
    # Limits, and wishes that pull apart
    case("an hour of time", "few-shot", budget_hours=1.0, tried=("prompt",)),
    case("a style within an hour", "few-shot", use_case="style", budget_hours=1.0, tried=("prompt",)),
    case("a style within six minutes", "few-shot", use_case="style", budget_hours=0.1, tried=PROMPTED),
    case("a tone within six minutes", "few-shot", use_case="style", lacking="tone", budget_hours=0.1, tried=PROMPTED),
    case("the practice project within six minutes", "fine-tune", **FROM_TEXT, examples=410, parameters=2_200_000,
         budget_hours=0.1),
    case("grave errors, answers from documents", "retrieval", **QA, error_cost="high", users="customers"),
    case("facts that change daily, in a brand's tone", "fine-tune-retrieval", **QA, knowledge_changes="daily",
         lacking="tone", tried=PROMPTED, examples=1000),
    case("instant answers from facts that change weekly", "fine-tune-retrieval", **QA, knowledge_changes="weekly",
         latency="instant", tried=PROMPTED),
    case("millions of questions about changing facts", "fine-tune-retrieval", **QA, knowledge_changes="weekly",
         scale="millions", tried=PROMPTED),
)  # fmt: skip
