# SPDX-License-Identifier: Apache-2.0
"""Expressions of Spark SQL in the dialect of Tidegate."""

import re


class Unsupported(Exception):
    """The pipeline has something that the driver or the dialect cannot say."""


class Refused(Exception):
    """The pipeline says what the dialect does not let be said, and Spark refuses as well."""


KEYWORDS = {
    "and", "or", "not", "is", "null", "like", "in", "between", "case", "when", "then", "else", "end",
    "as", "distinct", "true", "false", "interval", "timestamp", "date", "escape", "over", "partition",
    "by", "order", "asc", "desc", "rows", "range", "cast", "string", "bigint", "int", "double",
    "boolean", "second", "minute", "hour", "day", "millisecond", "exists", "nulls", "first", "last",
    "filter", "where"}
UNITS = {"microsecond": 0.001, "millisecond": 1, "second": 1000, "minute": 60_000,
         "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000}
TOKEN = re.compile(r"""\s*(?:(?P<str>'(?:[^'\\]|\\.|'')*'|"[^"]*")|(?P<num>\d+\.?\d*(?:[eE][-+]?\d+)?)"""
                   r"""|(?P<id>[A-Za-z_][A-Za-z_0-9]*|`[^`]*`)|(?P<op><=>|<=|>=|==|<>|!=|\|\||&&|.))""")


def duration_ms(text, month_days=None):
    """Spark's duration: '10 seconds', 'interval 1 minute 30 seconds'."""
    words = re.sub(r"^\s*interval\s+", "", str(text).strip(" '\""), flags=re.I).split()
    if len(words) % 2 or not words:
        raise Unsupported(f"duration {text!r}")
    total = 0
    for number, unit in zip(words[::2], words[1::2]):
        unit = unit.lower().rstrip("s")
        if unit in ("month", "year"):
            if month_days is None:
                raise Refused("DATATYPE_MISMATCH: intervals of months or years are not supported")
            total += int(number) * month_days * (12 if unit == "year" else 1) * 86_400_000
        elif unit in UNITS:
            total += float(number) * UNITS[unit]
        else:
            raise Unsupported(f"duration {text!r}")
    return int(total)


def interval(ms):
    sign = "-" if ms < 0 else ""
    ms = abs(int(ms))
    for unit, size in (("DAY", 86_400_000), ("HOUR", 3_600_000), ("MINUTE", 60_000)):
        if ms and ms % size == 0 and ms // size < 100:
            return f"INTERVAL '{sign}{ms // size}' {unit}"
    seconds, rest = divmod(ms, 1000)
    days, seconds = divmod(seconds, 86_400)
    text = f"{sign}{days} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
    return f"INTERVAL '{text}' DAY TO SECOND"


def quote(name):
    return "`" + name.strip("`") + "`"


def tokens(text):
    out, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            break
        at = match.end()
        kind = match.lastgroup
        out.append((kind, match.group(kind)))
    return out


def split_top(text, separator):
    """The parts of a text between separators that stand in no brackets or quotes."""
    parts, depth, start, i, inside = [], 0, 0, 0, None
    while i < len(text):
        c = text[i]
        if inside:
            inside = None if c == inside else inside
        elif c in "'\"`":
            inside = c
        elif c in "([":
            depth += 1
        elif c in ")]":
            depth -= 1
        elif depth == 0 and text[i:i + len(separator)].lower() == separator:
            parts.append(text[start:i])
            start = i + len(separator)
            i = start
            continue
        i += 1
    return [part.strip() for part in parts + [text[start:]]]


def split_alias(text):
    parts = split_top(text, " as ")
    if len(parts) > 1 and re.fullmatch(r"\w+|`[^`]+`", parts[-1]):
        return " as ".join(parts[:-1]), parts[-1].strip("`")
    return text.strip(), None


FUNCTIONS = {"collect_list": "ARRAY_AGG", "collect_set": "ARRAY_AGG", "first": "FIRST_VALUE", "last": "LAST_VALUE",
             "sort_array": "ARRAY_SORT", "array_sort": "ARRAY_SORT", "length": "CHAR_LENGTH",
             "pow": "POWER", "ceil": "CEIL", "nvl": "COALESCE", "ifnull": "COALESCE",
             "size": "CARDINALITY", "array_join": "ARRAY_JOIN", "mean": "AVG", "substr": "SUBSTRING",
             "ucase": "UPPER", "lcase": "LOWER", "array_size": "CARDINALITY",
             "stddev": "STDDEV_SAMP", "variance": "VAR_SAMP", "count_if": "COUNT_IF"}
TYPES = {"long": "BIGINT", "integer": "INT", "string": "STRING", "float": "FLOAT", "bigint": "BIGINT",
         "int": "INT", "double": "DOUBLE", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP(3)",
         "date": "DATE", "short": "SMALLINT"}


def matching(toks, i):
    """The place behind the bracket that closes the one at i."""
    depth = 0
    while i < len(toks):
        depth += {"(": 1, ")": -1}.get(toks[i][1], 0)
        i += 1
        if depth == 0:
            return i
    raise Unsupported("brackets")


def join_tokens(toks):
    return " ".join(text for _, text in toks)


def arguments(toks):
    """The arguments in a bracketed list of tokens."""
    parts, depth, part = [], 0, []
    for token in toks[1:-1]:
        depth += {"(": 1, ")": -1}.get(token[1], 0)
        if token[1] == "," and depth == 0:
            parts.append(part)
            part = []
        else:
            part.append(token)
    return parts + [part] if part or parts else []


def translate(toks, column):
    """An expression; `column` answers the SQL of a name of one or two parts."""
    out, i = [], 0
    while i < len(toks):
        kind, text = toks[i]
        low = text.lower()
        following = toks[i + 1][1] if i + 1 < len(toks) else ""
        if kind == "str":
            body = text[1:-1].replace("\\'", "''")
            out.append("'" + (body.replace("'", "''") if text[0] == '"' else body) + "'")
        elif kind != "id":
            # Whole numbers are divided as fractions.
            out.append({"==": "=", "!=": "<>", "&&": " AND ",
                        "/": "* CAST(1 AS DOUBLE) /"}.get(text, text))
        elif low == "interval" and i + 2 < len(toks):
            if toks[i + 1][0] == "str" and toks[i + 2][0] != "id":
                out.append(interval(duration_ms(toks[i + 1][1])))
                i += 1
            else:
                out.append(interval(duration_ms(toks[i + 1][1].strip("'\"") + " " + toks[i + 2][1])))
                i += 2
        elif following == "(" and low not in KEYWORDS - {"cast", "first", "last", "timestamp", "date",
                                                        "exists", "filter", "second", "minute",
                                                        "hour", "day"}:
            end = matching(toks, i + 1)
            out.append(call(low, arguments(toks[i + 1:end]), column))
            i = end - 1
        elif following == "." and i + 2 < len(toks) and toks[i + 2][0] == "id":
            out.append(column(text.strip("`"), toks[i + 2][1].strip("`")))
            i += 2
        elif low == "div":
            out.append("/")
        elif low in KEYWORDS and text[0] != "`":
            out.append(text.upper())
        else:
            out.append(column(text.strip("`"), None))
        i += 1
    return " ".join(out)


def call(name, args, column):
    if name == "window_time":
        return column(args[0][0][1].strip("`"), "time")
    inner = [translate(arg, column) for arg in args]
    if name == "cast":
        parts = args[0]
        at = max(i for i, token in enumerate(parts) if token[1].lower() == "as")
        kind = parts[at + 1][1].lower()
        value = translate(parts[:at], column)
        return f"CAST({value} AS {TYPES.get(kind, kind.upper())})"
    if name in ("timestamp_millis",):
        return f"CAST(TO_TIMESTAMP_LTZ({inner[0]}, 3) AS TIMESTAMP(3))"
    if name in ("timestamp_seconds",):
        return f"CAST(TO_TIMESTAMP_LTZ({inner[0]} * 1000, 3) AS TIMESTAMP(3))"
    if name == "unix_millis":
        return millis(inner[0])
    if name in ("unix_timestamp", "unix_seconds", "to_unix_timestamp") and len(inner) == 1:
        return f"FLOOR({millis(inner[0])} / 1000.0)"
    if name in ("if", "iff"):
        return f"CASE WHEN {inner[0]} THEN {inner[1]} ELSE {inner[2]} END"
    if name == "count_if":
        return f"COUNT(CASE WHEN {inner[0]} THEN 1 END)"
    if name in ("bool_or", "any", "some", "bool_and", "every"):
        best = "MAX" if name in ("bool_or", "any", "some") else "MIN"
        return f"({best}(CASE WHEN {inner[0]} THEN 1 WHEN NOT ({inner[0]}) THEN 0 END) = 1)"
    if name == "struct":
        return f"ROW({', '.join(inner)})"
    if name in ("try_divide", "divide"):
        return f"({inner[0]} * CAST(1 AS DOUBLE) / NULLIF({inner[1]}, 0))"
    if name in ("isnull", "isnotnull"):
        return f"({inner[0]} IS {'NOT ' if name == 'isnotnull' else ''}NULL)"
    if name in ("count",) and not (args and args[0] and args[0][0][1].lower() == "distinct"):
        return "COUNT(*)" if inner in (["*"], ["1"]) else f"COUNT({inner[0]})"
    if name == "date_trunc":
        return f"FLOOR({inner[1]} TO {inner[0].strip(chr(39)).upper()})"
    if name in ("avg", "mean"):
        return f"AVG(CAST({inner[0]} AS DOUBLE))"
    if name in ("collect_set",):
        return f"ARRAY_AGG(DISTINCT {inner[0]})"
    if name in ("approx_count_distinct",):
        return f"APPROX_COUNT_DISTINCT({inner[0]})"
    if name in ("row_number", "rank", "dense_rank", "lag", "lead"):
        return f"{name.upper()}({', '.join(inner)})"
    if name in ("expr",):
        return inner[0]
    return f"{FUNCTIONS.get(name, name.upper())}({', '.join(inner)})"


def millis(sql):
    """Milliseconds since 1970 of a TIMESTAMP(3)."""
    seconds = f"CAST(TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', FLOOR({sql} TO SECOND)) AS BIGINT)"
    return f"({seconds} * 1000 + EXTRACT(MILLISECOND FROM {sql}))"


def moment(sql):
    """The TIMESTAMP(3) of milliseconds since 1970."""
    return f"CAST(TO_TIMESTAMP_LTZ({sql}, 3) AS TIMESTAMP(3))"


def gap_ms(text):
    """A gap of a session, per row, as an expression of milliseconds in Spark's words."""
    out, toks, i = [], tokens(text), 0
    while i < len(toks):
        kind, word = toks[i]
        low = word.lower()
        before = toks[i - 1][1].lower() if i else "then"
        if low == "interval" and i + 1 < len(toks):
            if toks[i + 1][0] == "str":
                out.append(("num", str(duration_ms(toks[i + 1][1]))))
                i += 2
            else:
                out.append(("num", str(duration_ms(toks[i + 1][1] + " " + toks[i + 2][1]))))
                i += 3
            continue
        if low in ("concat", "make_dt_interval", "make_interval") and toks[i + 1][1] == "(":
            end = matching(toks, i + 1)
            args = arguments(toks[i + 1:end])
            if low == "concat" and len(args) == 2 and args[1][0][0] == "str":
                unit = duration_ms("1 " + args[1][0][1].strip("'\" "))
                out += [("op", "(")] + args[0] + tokens(f") * {unit}")
            elif low != "concat" and len(args) in (4, 7):
                out += [("op", "(")] + args[-1] + tokens(") * 1000")
            else:
                raise Unsupported(f"a session gap {text!r}")
            i = end
            continue
        if low == "cast" and toks[i + 1][1] == "(":
            end = matching(toks, i + 1)
            inner = toks[i + 2:end - 1]
            if inner[-1][1].lower() != "interval":
                raise Unsupported(f"a session gap {text!r}")
            return gap_ms(text_of(inner[:-2]))
        if kind == "str" and before in ("then", "else"):
            out.append(("num", str(duration_ms(word))))
        elif kind == "str" and before == "||":
            out.pop()
            out += tokens(f"* {duration_ms('1 ' + word.strip(chr(39) + ' '))}")
        else:
            out.append(toks[i])
        i += 1
    return text_of(out)


def text_of(toks):
    return " ".join(text for _, text in toks)
