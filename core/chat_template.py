"""The chat template that stands in for one where a model brings none."""

PLAIN_TEMPLATE = (
    "{{ bos_token or '' }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] }}{{ eos_token }}{% endgeneration %}"
    "{% else %}{{ message['content'] }}\n\n{% endif %}"
    "{% endfor %}"
)
"""For base models: the prompt's turns, an empty line after each, then the answer."""
