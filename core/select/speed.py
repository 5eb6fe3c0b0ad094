"""How long a training step takes on a card, as a range, from the card's rate and bandwidth; nothing is run.

A micro-batch is bound by whatever is slowest: the products, reading the weights, or starting the many small kernels of
a step. Weights packed to 4 bits are unpacked for each pass on top of that. `benchmarks/outlook.py` lays the range
beside times that others measured on real cards.

Operations a token, with N the parameters in products, q the width of all heads, L layers and T tokens in the row
(Kaplan et al. 2020, arXiv:2001.08361, section 2.1; the attention term as in Chowdhery et al. 2022, PaLM,
arXiv:2204.02311, appendix B):

    forward               2 N + 4 L q T
    backward              gradients of activations as much again; of trained weights 2 a parameter, and of attention
                          another 4 L q T
    checkpointing         one more forward pass
"""

from __future__ import annotations

from tunesmith.core.facts import ModelFacts
from tunesmith.core.load import Load
from tunesmith.core.select.cards import Card
from tunesmith.core.select.load import adapter_parameters

UTILISATION = (0.2, 0.7)
"""Share of a card's rate that the products of a training step reach. Pretraining is reported at 0.46 (PaLM,
arXiv:2204.02311) and 0.38 to 0.43 (Llama 3, arXiv:2407.21783); fine-tuning 7 B on an A100 came to 0.48 to 0.66, long
rows on an RTX 4080 to 0.21 to 0.49 (`benchmarks/outlook.py`, where the operations are counted as here)."""
LAUNCH = (0.0005, 0.004)
"""Seconds that starting the kernels of one layer takes in one pass, by transformers and peft without compilation: an
estimate, some 50 to 100 kernels at 10 to 40 µs each. It is what bounds small models and short rows."""
AROUND = (0.005, 0.15)
"""Seconds around the layers of a micro-batch: collating rows, embedding, loss, the trainer's own work. An estimate; a
model of 4 small layers took 0.08 s a step by LoRA and 0.11 by QLoRA on an H100, and 0.12 and 0.17 with logs."""
UNPACK_BYTES = 0.5 + 2 + 2
"""Bytes of memory traffic a 4-bit parameter and pass: read packed, written in 16 bits, read again for the product."""


def operations_a_token(model: ModelFacts, load: Load, length: int) -> float:
    """Floating-point operations for one token of a row of `length` tokens, forward and backward."""
    adapter = adapter_parameters(model, load)
    products = product_parameters(model) + adapter
    attention = 4 * model.layers * model.heads * model.head_size * length
    forward = 2 * products + attention
    trained = products if load.method == "full" else adapter
    backward = 2 * products + 2 * trained + 2 * attention
    return forward + backward + (forward if load.checkpointing else 0)


def product_parameters(model: ModelFacts) -> int:
    """Parameters that a token is multiplied with: the linear layers and the output head; an embedding is looked up."""
    if not model.linear_parameters:
        return model.parameters
    return model.linear_parameters + model.vocabulary * model.hidden_size


def micro_batch_seconds(model: ModelFacts, load: Load, card: Card) -> tuple[float, float] | None:
    """From and to, for one micro-batch of `load.batch_size` rows of `load.length` tokens, forward and backward.

    None where the table has no rate of the card in the precision of `load`.
    """
    rate = card.rate_in(load.precision)
    if rate is None:
        return None
    passes = 3 if load.checkpointing else 2
    products = operations_a_token(model, load, load.length) * load.batch_size * load.length / rate
    packed = load.method == "qlora"
    read = 0.0 if packed else product_parameters(model) * load.compute_bytes * passes / card.bandwidth
    unpack = UNPACK_BYTES * model.linear_parameters * passes / card.bandwidth if packed else 0.0
    slow, fast = UTILISATION
    least, most = (around + model.layers * passes * each for each, around in zip(LAUNCH, AROUND, strict=True))
    return max(products / fast, read, least) + unpack, max(products / slow, read, most) + unpack
