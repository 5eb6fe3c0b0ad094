"""The same plan in the words of other trainers: TRL's command line, Axolotl and LLaMA-Factory, there and back.

`write.export_to` writes a folder that the other tool can train from, `read.import_file` makes wishes of its file. What
one of them can't say is named, never left out in silence. Read at: TRL 1.16.0; Axolotl 0.18.0, commit
067b021c8b87a9e5e380b9173c704cf7340e30f5; LLaMA-Factory, commit ff6d4d12eeb035d6ce06805a5733dd7b29f2ac30.
"""
