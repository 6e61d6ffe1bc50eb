#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the ONNX models of the tests: small enough to read, exact in every floating type.

usage: make_models.py [FOLDER]     default: the folder of this script

ONNX is protobuf; the few messages needed are encoded here, so that no package is.
"""

import pathlib
import struct
import sys

FLOAT, INT32, INT64, STRING, BOOL, DOUBLE = 1, 6, 7, 8, 9, 11
ELEMENTS = {FLOAT: "f", INT64: "q", DOUBLE: "d"}


def varint(number):
    number &= (1 << 64) - 1
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(number, values):
    return b"".join(field(number, value) for value in values)


def tensor_type(element, shape):
    dims = b"".join(field(1, field(1 if isinstance(d, int) else 2, d)) for d in shape)
    return field(1, field(1, element) + field(2, dims))


def value_info(name, value_type):
    return field(1, name) + field(2, value_type)


def constant(name, element, dims, values):
    raw = b"".join(struct.pack("<" + ELEMENTS[element], v) for v in values)
    return fields(1, dims) + field(2, element) + field(8, name) + field(9, raw)


def attribute(name, value):
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    if isinstance(value, float):
        return field(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value) + field(20, 1)
    if isinstance(value, str):
        return field(1, name) + field(4, value) + field(20, 3)
    if isinstance(value, bytes):
        return field(1, name) + field(5, value) + field(20, 4)
    if isinstance(value[0], int):
        return field(1, name) + fields(8, value) + field(20, 7)
    if isinstance(value[0], str):
        return field(1, name) + fields(9, value) + field(20, 8)
    floats = b"".join(struct.pack("<f", v) for v in value)
    return field(1, name) + field(7, floats) + field(20, 6)


def node(op, inputs, outputs, domain="", **attributes):
    return (fields(1, inputs) + fields(2, outputs) + field(4, op) + field(7, domain) +
            fields(5, [attribute(name, value) for name, value in attributes.items()]))


def model(nodes, inputs, outputs, constants=()):
    graph = (fields(1, nodes) + field(2, "test") + fields(5, constants) +
             fields(11, [value_info(*each) for each in inputs]) +
             fields(12, [value_info(*each) for each in outputs]))
    versions = [field(1, "") + field(2, 13), field(1, "ai.onnx.ml") + field(2, 2)]
    return field(1, 7) + field(7, graph) + fields(8, versions)


def linear(weights, bias, rows="N"):
    """score = weights * X + bias"""
    return model(
        [node("MatMul", ["X", "W"], ["XW"]), node("Add", ["XW", "b"], ["variable"])],
        [("X", tensor_type(FLOAT, [rows, len(weights)]))],
        [("variable", tensor_type(FLOAT, [rows, 1]))],
        [constant("W", FLOAT, [len(weights), 1], weights), constant("b", FLOAT, [1], [bias])])


def classifier(zipmap):
    """The probability of class 1 is amount / 8 + velocity / 4, within 0 and 1."""
    nodes = [
        node("MatMul", ["X", "W"], ["XW"]),
        node("Add", ["XW", "b"], ["raw"]),
        node("Clip", ["raw", "zero", "one"], ["probabilities"]),
        node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    outputs = [("label", tensor_type(INT64, ["N"]))]
    if zipmap:
        nodes.append(node("ZipMap", ["probabilities"], ["by_class"], "ai.onnx.ml",
                          classlabels_int64s=[0, 1]))
        by_class = field(1, INT64) + field(2, field(1, field(1, FLOAT)))
        outputs.append(("by_class", field(4, field(1, field(5, by_class)))))
    else:
        outputs.append(("probabilities", tensor_type(FLOAT, ["N", 2])))
    return model(
        nodes, [("X", tensor_type(FLOAT, ["N", 2]))], outputs,
        [constant("W", FLOAT, [2, 2], [-0.125, 0.125, -0.25, 0.25]),
         constant("b", FLOAT, [2], [1.0, 0.0]),
         constant("zero", FLOAT, [], [0.0]), constant("one", FLOAT, [], [1.0])])


def texts():
    """A text and a number by name: risk = that of the country + amount; and the country's region."""
    countries = ["de", "fr", "us"]
    return model(
        [node("LabelEncoder", ["country"], ["base"], "ai.onnx.ml", keys_strings=countries,
              values_floats=[0.5, 0.25, 1.0], default_float=-1.0),
         node("Add", ["base", "amount"], ["risk"]),
         node("LabelEncoder", ["country"], ["region"], "ai.onnx.ml", keys_strings=countries,
              values_strings=["eu", "eu", "na"], default_string="?")],
        [("country", tensor_type(STRING, ["N"])), ("amount", tensor_type(FLOAT, ["N"]))],
        [("risk", tensor_type(FLOAT, ["N"])), ("region", tensor_type(STRING, ["N"]))])


def kinds():
    """Hands on a column of each element type, and doubles a vector."""
    scalars = {"f": FLOAT, "d": DOUBLE, "i": INT32, "l": INT64, "b": BOOL, "s": STRING}
    return model(
        [node("Identity", [name], ["out_" + name]) for name in scalars] +
        [node("Add", ["v", "v"], ["out_v"])],
        [(name, tensor_type(element, ["N", 1])) for name, element in scalars.items()] +
        [("v", tensor_type(FLOAT, ["N", 3]))],
        [("out_" + name, tensor_type(element, ["N", 1])) for name, element in scalars.items()] +
        [("out_v", tensor_type(FLOAT, ["N", 3]))])


def network():
    """10 features, 64 hidden units, 1 score: for the benchmark. All weights are 1/16."""
    weight = constant("", FLOAT, [1], [0.0625])
    return model(
        [node("ConstantOfShape", ["s1"], ["w1"], value=weight),
         node("ConstantOfShape", ["s2"], ["w2"], value=weight),
         node("MatMul", ["X", "w1"], ["h"]), node("Relu", ["h"], ["r"]),
         node("MatMul", ["r", "w2"], ["score"])],
        [("X", tensor_type(FLOAT, ["N", 10]))], [("score", tensor_type(FLOAT, ["N", 1]))],
        [constant("s1", INT64, [2], [10, 64]), constant("s2", INT64, [2], [64, 1])])


MODELS = {
    "network": network(),
    "linear": linear([2.0, 0.5], 1.0),
    "linear_2": linear([4.0, 0.5], 3.0),
    "three_features": linear([1.0, 1.0, 1.0], 0.0),
    "one_row": linear([2.0, 0.5], 1.0, rows=1),
    "classifier": classifier(zipmap=False),
    "zipmap": classifier(zipmap=True),
    "texts": texts(),
    "kinds": kinds(),
}


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    for name, content in MODELS.items():
        (folder / f"{name}.onnx").write_bytes(content)


if __name__ == "__main__":
    main()
