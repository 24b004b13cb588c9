"""Prints a YAML file as JSON, read strictly; with --schema, only if it follows that JSON Schema."""

import json
import sys
from argparse import ArgumentParser

import yaml
from jsonschema import Draft201909Validator


class Strict(yaml.SafeLoader):
    """Takes no key twice: YAML forbids it, PyYAML would let the last one win."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: twice: {', '.join(map(str, sorted(twice)))}")
        return super().construct_mapping(node, deep)


def overriding(loader: Strict, node: yaml.Node) -> object:
    """Compose's tag says how a value is merged, not what it is."""
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node, deep=True)


Strict.add_constructor("!override", overriding)


def faults(document: object, schema: str) -> list[str]:
    with open(schema, encoding="utf-8") as file:
        validator = Draft201909Validator(json.load(file))
    errors = sorted(validator.iter_errors(document), key=lambda error: error.json_path)
    return [f"{error.json_path}: {error.message}" for error in errors]


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--schema")
    parser.add_argument("file")
    arguments = parser.parse_args()
    with open(arguments.file, encoding="utf-8") as file:
        try:
            document = yaml.load(file, Strict)
        except yaml.YAMLError as error:
            print(error, file=sys.stderr)
            return 1
    found = faults(document, arguments.schema) if arguments.schema else []
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        json.dump(document, sys.stdout)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
