"""Synthetic persons: every number is valid in form, comes once a run and is nobody's of tests/data.

The region (650102) stands in no number of the data, which tests/e2e/conftest.py relies on. Phones
begin with 198, addresses name a street that is nowhere else.
"""

import itertools

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
REGION = "650102"
# Rare enough that no text of a program has the two characters side by side by chance.
FAMILY, GIVEN = "厍邰鄢邴扈璩濮郜", "骞翀旻堃祎琬昶赟"


def gb11643(seventeen):
    """An 18-character number with its check character (GB 11643, MOD 11-2)."""
    total = sum(w * int(digit) for w, digit in zip(WEIGHTS, seventeen, strict=True))
    return seventeen + CHECKS[total % 11]


def vowels(n):
    """The number in base 5, to be spoken."""
    return (vowels(n // 5) if n >= 5 else "") + "aeiou"[n % 5]


class People:
    """Makes persons as the fields of an application; all have a name, phone and address of their
    own."""

    def __init__(self):
        self._numbers = itertools.count()
        self.made = []

    def _next(self, name=None, **fields):
        n = next(self._numbers)
        given = GIVEN[n // 8 % 8] + GIVEN[n // 64 % 8] if n // 8 % 8 != n // 64 % 8 \
            else GIVEN[n // 8 % 8]
        person = {"name": name or FAMILY[n % 8] + given, "phone": f"198{n * 7919 % 10**8:08}",
                  "address": f"乌鲁木齐市天山区样例巷{n + 1}号{n % 40 + 1}栋{n % 28 + 101}室", **fields}
        self.made.append(person)
        return n, person

    def resident(self, birth_date="1987-06-05", sex="female", region=REGION):
        """An adult with a resident identity card."""
        n, person = self._next(document_type="resident_id", sex=sex)
        # Sequence codes 900 to 995 first, then days of the month, then months.
        sequence = 900 + n % 48 * 2 + (sex == "male")
        year, month, day = map(int, birth_date.split("-"))
        month, day = (month - 1 + n // 48 // 28) % 12 + 1, (day - 1 + n // 48) % 28 + 1
        birth = f"{year:04}{month:02}{day:02}"
        person["birth_date"] = f"{birth[:4]}-{birth[4:6]}-{birth[6:]}"
        person["document_number"] = gb11643(f"{region}{birth}{sequence}")
        return person

    def foreigner(self, birth_date="1990-02-17", sex="male"):
        """With a passport; the police have no photo of such a person."""
        n, person = self._next(document_type="passport", sex=sex, birth_date=birth_date)
        person["document_number"] = f"QX{7000000 + n}"
        person["name"] = f"Quirin {'BCDFGHJKLMNPQRSTVWXZ'[n % 20]}elvedere-Q{vowels(n // 20)}x"
        return person

    def child(self, guardian, birth_date="2019-09-01"):
        """Below 16, applied for by a guardian who declares that there is no photo."""
        person = self.resident(birth_date)
        person["photo_choice"] = "none"
        person["guardian"] = {**{key: guardian[key] for key in (
            "name", "document_type", "document_number", "phone")}, "relation": "mother"}
        return person


def personal_values(person):
    """What must be found nowhere outside sealed fields, as text."""
    found = {person[key] for key in ("document_number", "name", "phone", "address")}
    guardian = person.get("guardian") or {}
    return found | {guardian[key] for key in ("document_number", "name", "phone") if guardian}
