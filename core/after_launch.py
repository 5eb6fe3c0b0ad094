"""What somebody must watch once the model is in use: what Tunesmith can't measure, said in the report and the card."""

from __future__ import annotations

from tunesmith.core.plan import Understand
from tunesmith.core.wording import plain

TITLE = "What to watch after the launch"

_MEASURED = {
    "user-rating": "what users think of the answers",
    "tickets-avoided": "how many requests need no person any more",
    "time-saved": "how much working time a task takes",
    "response-time": "how long somebody waits for an answer",
}
_READERS = {
    "myself": "You read the answers yourself.",
    "team": "Colleagues who know the subject read the answers. Ask them to report those that are wrong.",
    "customers": "People outside read the answers and believe them. Have some of them checked every week.",
    "programs": "Other software reads the answers. Have it check their form, and count those it refuses.",
}
_ERRORS = {
    "low": "A wrong answer costs little: somebody notices and asks again.",
    "medium": "A wrong answer means work done twice or a customer annoyed, so count them.",
    "high": "**A wrong answer may cost health, rights or much money: a person must stay in the loop and see every "
    "answer before anybody acts on it.** No score on test rows changes that.",
}


def after_launch(brief: Understand) -> str:
    """The paragraph in Markdown, without its heading."""
    lines = []
    if brief.business_metric != "none":
        goal = f" The goal: {plain(brief.business_goal, 500).rstrip('.')}." if brief.business_goal.strip() else ""
        lines.append(
            f"- What should get better is {_MEASURED[brief.business_metric]}.{goal} Tunesmith can't measure that: "
            "write the figure down before the launch, and look at it again afterwards."
        )
    elif brief.business_goal.strip():
        lines.append(f"- The goal in use, which Tunesmith can't measure: {plain(brief.business_goal, 500)}")
    lines += [f"- {_READERS[brief.users]}", f"- {_ERRORS[brief.error_cost]}"]
    lines.append("- The scores hold for rows like those that were tested. Score anew when the questions change.")
    return "\n".join(lines)
