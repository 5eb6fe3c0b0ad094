"""Personal data and secrets in a text: found by libraries that know their forms and check digits, and masked.

What is looked for, and how sure it is:

- email: an address with a domain that has a top level.
- phone: numbers that the `phonenumbers` library calls valid: international ones (+ or 00), and national ones of the
  United States, Great Britain, Germany and France where they are written as a phone number is, or where a word such as
  `phone` stands before them.
- iban: by `stdnum`, with the country's length and check digits.
- card: the issuer's prefix and length, and the Luhn check digit.
- national-id: by `stdnum`. Where fewer than one in a thousand chance numbers has the form and the check digits, the
  number stands for itself; otherwise its name (SSN, NHS, BSN …) must stand beside it.
- ip: addresses of the public internet, which may lead to a person (European Court of Justice, C-582/14, Breyer);
  private, local and documentation addresses say nothing of one.
- secret: keys and tokens by the plugins of `detect-secrets` that know a form, private keys as a whole block, and what
  a word such as `password:` or `api_key =` names, where it has letters and digits. The entropy and keyword plugins of
  `detect-secrets` are not used: in prose they find words.
- name: the cells of a column whose header says that it holds people's names. Names in free text are not found.
"""

from tunesmith.core.prepare.personal.find import Piece, found, kinds_in, mask, names_people
from tunesmith.core.prepare.personal.possible import suspects
from tunesmith.core.prepare.personal.quote import people_in, told
from tunesmith.core.prepare.repair.words import PLACEHOLDERS

__all__ = ["PLACEHOLDERS", "Piece", "found", "kinds_in", "mask", "names_people", "people_in", "suspects", "told"]
