"""How a person is asked which column plays a part of the shape."""

ROLES = {
    "entity": "Which column names what a record is about?",
    "question": "Which column holds the question?",
    "answer": "Which column holds the answer?",
    "context": "Which column holds the text that the answer is in?",
    "prompt": "Which column holds the prompt?",
    "completion": "Which column holds what should follow the prompt?",
    "input": "Which column holds the input it works on?",
    "messages": "Which column holds the conversation?",
    "system": "Which column holds the system prompt?",
    "tools": "Which column lists the tools?",
    "text": "Which column holds the text?",
    "label": "Which column holds the label?",
    "chosen": "Which column holds the better answer?",
    "rejected": "Which column holds the worse answer?",
    "rating": "Which column holds the rating?",
}
