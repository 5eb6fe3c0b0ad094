"""How a person is asked which column plays a part of the shape: short enough to stand before the answer at 80×24."""

ROLES = {
    "entity": "Which column names each record?",
    "question": "Which column holds the question?",
    "answer": "Which column holds the answer?",
    "context": "Which column holds the context?",
    "prompt": "Which column holds the prompt?",
    "completion": "Which column is the completion?",
    "input": "Which column holds the input?",
    "messages": "Which column holds the chat?",
    "system": "Which column is the system prompt?",
    "tools": "Which column lists the tools?",
    "text": "Which column holds the text?",
    "label": "Which column holds the label?",
    "chosen": "Which column is the better answer?",
    "rejected": "Which column is the worse answer?",
    "rating": "Which column holds the rating?",
}
