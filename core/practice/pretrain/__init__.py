"""How the practice model was made: text that makes itself, a tokenizer, an initialisation and a training loop.

Nothing else in Tunesmith imports this package; it needs torch, transformers and tokenizers.
"""
