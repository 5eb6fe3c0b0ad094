"""How long the memory of a step takes to be simulated, for every model of the catalogue that writes text.

`python benchmarks/forecast_time.py [WORD]` prints seconds: what the libraries' import takes once, then for each model
the first and the second time, by LoRA and by full fine-tuning; WORD keeps the models whose name holds it. CPU seconds
stand beside, because other work on the machine lengthens the others. The aim is two seconds, warm, on two cores.
"""

from __future__ import annotations

import os
import sys
import time

from tunesmith.core.catalogue import entries
from tunesmith.core.errors import ModelError
from tunesmith.core.load import Load

LORA = Load("lora", "bf16", "cuda", 4, 1024, rank=16, checkpointing=True, answer_rows=8, answer_tokens=64)
FULL = Load("full", "bf16", "cuda", 4, 1024, checkpointing=True)
AIM = 2.0


def main() -> None:
    began = time.monotonic()
    from tunesmith.core.worker.simulation.simulate import simulate

    print(f"import {time.monotonic() - began:.1f} s, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'model':44}{'method':8}{'first':>7}{'second':>8}{'CPU':>7}")
    word, seen, warm = " ".join(sys.argv[1:]), set(), []
    for entry in entries():
        architecture = str(entry.config.get("architectures", [""])[0])
        shape = repr({**entry.config, "max_position_embeddings": 0})
        if word not in entry.name or shape in seen or not architecture.endswith(("CausalLM", "Generation")):
            continue
        seen.add(shape)
        for load in (LORA, FULL):
            start = f"{entry.name:44}{load.method:8}"
            try:
                first = simulate(entry.config, load).seconds
                used = time.process_time()
                second = simulate(entry.config, load).seconds
            except ModelError as error:
                print(f"{start}{error.title} {error.cause[:80]}", flush=True)
                continue
            used = time.process_time() - used
            warm.append((second, used))
            print(f"{start}{first:>7.2f}{second:>8.2f}{used:>7.2f}", flush=True)
    if warm:
        slow = sum(used > AIM for _, used in warm)
        print(f"\nwarm: {len(warm)} cases, {max(warm)[0]:.1f} s at most; {slow} take more than {AIM:.0f} s of CPU time")


if __name__ == "__main__":
    main()
