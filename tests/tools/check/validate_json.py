# SPDX-License-Identifier: BSL-1.0
"""validate_json.py SCHEMA DOCUMENT...: says what each document has that the schema forbids, and fails if there is any.

Exit status: 0 all are valid, 1 not so, 77 there is no module jsonschema (Debian: python3-jsonschema).
"""
import json
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(77)


def load(name):
    with open(name, encoding="utf-8") as file:
        return json.load(file)


schema = load(sys.argv[1])
validator = jsonschema.validators.validator_for(schema)
validator.check_schema(schema)
judge = validator(schema, format_checker=jsonschema.FormatChecker())
invalid = False
for document in sys.argv[2:]:
    for error in judge.iter_errors(load(document)):
        invalid = True
        print(f"{document}: {'/'.join(str(step) for step in error.absolute_path)}: {error.message}"[:500])
sys.exit(1 if invalid else 0)
