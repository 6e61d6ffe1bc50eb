# SPDX-License-Identifier: Apache-2.0
"""Pipelines of Spark, as data, in the SQL of Tidegate."""

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
        elif low in KEYWORDS and text[0] != "`":
            out.append(text.upper())
        else:
            out.append(column(text.strip("`"), None))
        i += 1
    return " ".join(out)


def call(name, args, column):
    inner = [translate(arg, column) for arg in args]
    if name == "cast":
        parts = args[0]
        at = max(i for i, token in enumerate(parts) if token[1].lower() == "as")
        kind = parts[at + 1][1].lower()
        value = translate(parts[:at], column)
        return f"CAST({value} AS {TYPES.get(kind, kind.upper())})"
    if name in ("window_time",):
        return column(args[0][0][1].strip("`"), "time")
    if name in ("timestamp_millis",):
        return f"CAST(TO_TIMESTAMP_LTZ({inner[0]}, 3) AS TIMESTAMP(3))"
    if name in ("timestamp_seconds",):
        return f"CAST(TO_TIMESTAMP_LTZ({inner[0]} * 1000, 3) AS TIMESTAMP(3))"
    if name == "unix_millis":
        return f"(1000 * TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', {inner[0]}))"
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


class Column:
    """What a column of Spark is in SQL: an expression, or three of a window."""

    def __init__(self, sql, window=False):
        self.sql = sql
        self.window = window  # then sql is (start, end, time)


class Source:
    def __init__(self, name, schema):
        self.name = name
        self.schema = schema  # [(name, type)]
        self.watermark = None  # (column, delay in ms)
        self.computed = []

    def create(self, path, interval_ms):
        lines = [f"{quote(name)} {kind}" for name, kind in self.schema]
        lines += [f"{quote(name)} AS {sql}" for name, sql in self.computed]
        if self.watermark:
            column, delay_ms = self.watermark
            lines.append(f"WATERMARK FOR {quote(column)} AS {quote(column)} - {interval(delay_ms)}")
        return (f"CREATE TABLE {quote(self.name)} ({', '.join(lines)}) WITH ('connector' = "
                f"'filesystem', 'path' = '{path}', 'format' = 'json', "
                f"'source.monitor-interval' = '{interval_ms} ms');\n")


class Relation:
    """Columns over a FROM, with conditions that have not been put into it yet."""

    def __init__(self, base, columns, source=None, filters=(), stateful=False, watermark=False):
        self.base = base
        self.columns = columns  # name -> Column
        self.source = source  # set while nothing but projections and filters are above it
        self.filters = list(filters)
        self.stateful = stateful
        self.watermark = watermark

    def column(self, name, part):
        if part is None:
            found = self.columns.get(name)
            if found is None:
                for key in self.columns:
                    if key.lower() == name.lower():
                        found = self.columns[key]
            if found is None:
                raise Unsupported(f"column {name}")
            if found.window:
                raise Unsupported(f"the window {name} as a value")
            return found.sql
        found = self.columns.get(name)
        if found is not None and found.window:
            return found.sql[{"start": 0, "end": 1, "time": 2}[part]]
        return self.column(part, None)

    def expr(self, text):
        return translate(tokens(text), self.column)

    def select(self):
        items = []
        for name, column in self.columns.items():
            if column.window:
                for part, sql in zip(("start", "end", "time"), column.sql):
                    if sql:
                        items.append(f"{sql} AS {quote(name + '__' + part)}")
            else:
                items.append(f"{column.sql} AS {quote(name)}")
        where = f" WHERE {' AND '.join(self.filters)}" if self.filters else ""
        return f"SELECT {', '.join(items)} FROM {self.base}{where}"

    def closed(self, alias=None, **changes):
        """The same as a subquery."""
        prefix = f"{alias}." if alias else ""
        columns = {}
        for name, column in self.columns.items():
            if column.window:
                columns[name] = Column(tuple(
                    prefix + quote(name + "__" + part) if sql else None
                    for part, sql in zip(("start", "end", "time"), column.sql)), True)
            else:
                columns[name] = Column(prefix + quote(name))
        base = f"({self.select()})" + (f" AS {alias}" if alias else " AS s")
        out = Relation(base, columns, None, (), self.stateful, self.watermark)
        for key, value in changes.items():
            setattr(out, key, value)
        return out


def given(op, names, fits):
    """The argument of an operator by one of its names, else the only one that fits."""
    for name in names:
        if op.get(name) is not None:
            return op[name]
    others = [value for key, value in op.items() if key not in ("op", "how", "name") and fits(value)]
    if len(others) != 1:
        raise Unsupported(f"the arguments of {op['op']}")
    return others[0]


def is_text(value):
    return isinstance(value, str)


def is_names(value):
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def is_pipeline(value):
    return isinstance(value, list) and value and all(isinstance(each, dict) for each in value)


class Translator:
    def __init__(self, case):
        self.case = case
        self.sources = {}
        self.statics = {}
        self.views = 0

    # ---- operators

    def pipeline(self, ops):
        relation = None
        for op in ops:
            name = op["op"].lower()
            if relation is None:
                relation = self.begin(op)
                continue
            method = getattr(self, "op_" + ALIASES.get(name, name), None)
            if method is None:
                raise Unsupported(f"operator {op['op']}")
            relation = method(relation, op)
        return relation

    def begin(self, op):
        name = op.get("name") or op.get("source") or "in"
        rows = op.get("rows", op.get("data"))
        if rows is None:
            for key, value in self.case.items():
                if ("static" in key or "table" in key) and isinstance(value, dict) and name in value:
                    rows = value[name]
        if op["op"].lower() in ("static", "batch", "values", "table", "static_source") or rows is not None:
            return self.static(name, rows if isinstance(rows, list) else (rows or {}).get("rows"), op)
        if op["op"].lower() not in ("source", "read", "stream"):
            raise Unsupported(f"operator {op['op']}")
        schema = parse_schema(op.get("schema") or self.case.get("schema") or
                              "t BIGINT, k STRING, v BIGINT")
        if any(column == "t" for column, _ in schema) and all(c != "ts" for c, _ in schema):
            schema = schema + [("ts", "TIMESTAMP(3)")]
        source = self.sources.setdefault(name, Source(name, schema))
        columns = {column: Column(quote(column)) for column, _ in source.schema}
        return Relation(quote(name), columns, source)

    def static(self, name, rows, op):
        """A table that does not change: a file that is read whole."""
        if not rows:
            raise Unsupported(f"a static table {name} without rows")
        names = [column for column, _ in parse_schema(op["schema"])] if op.get("schema") else list(
            rows[0] if isinstance(rows[0], dict) else [f"c{i}" for i in range(len(rows[0]))])
        rows = [row if isinstance(row, dict) else dict(zip(names, row)) for row in rows]
        schema = []
        for column in names:
            value = next((row[column] for row in rows if row.get(column) is not None), "")
            schema.append((column, "BOOLEAN" if isinstance(value, bool) else
                           "BIGINT" if isinstance(value, int) else
                           "DOUBLE" if isinstance(value, float) else "STRING"))
        if "t" in names and "ts" not in names:
            schema.append(("ts", "TIMESTAMP(3)"))
        name = f"static_{len(self.statics)}"
        self.statics[name] = (schema, rows)
        relation = Relation(quote(name), {column: Column(quote(column)) for column, _ in schema})
        relation.is_static = True
        return relation

    def lookup_join(self, stream, table, how, conditions_of):
        """Each row of the stream with the rows of a table that does not change."""
        left = stream.closed("l")
        base = left.base.replace("SELECT ", "SELECT PROCTIME() AS `pt__`, ", 1)
        columns = {name: Column("r." + column.sql) for name, column in table.columns.items()}
        right = Relation(table.base, columns)
        condition = conditions_of(left, right)
        return (f"{base} {how} {table.base} FOR SYSTEM_TIME AS OF l.`pt__` AS r ON {condition}",
                left, right)

    def op_watermark(self, relation, op):
        column = op.get("col") or op.get("column") or op.get("on") or "ts"
        delay_ms = duration_ms(op["delay"], month_days=31)
        if relation.stateful or relation.watermark or relation.source is None:
            raise Refused("Redefining watermark is disallowed")
        found = relation.columns.get(column)
        if found is None or found.window:
            raise Unsupported(f"watermark on {column}")
        source = relation.source
        name = found.sql.strip("`")
        kinds = dict(source.schema)
        if not re.fullmatch(r"`[^`]*`", found.sql) or name not in kinds:
            name = f"wm{len(source.computed)}"
            source.computed.append((name, found.sql))
            relation.columns[column] = Column(quote(name))
        elif not kinds[name].startswith("TIMESTAMP"):
            pass  # the engine says what is wrong
        if source.watermark and source.watermark != (name, delay_ms):
            raise Unsupported("two watermarks on one source")
        source.watermark = (name, delay_ms)
        relation.watermark = True
        return relation

    def op_select(self, relation, op):
        exprs = given(op, ("exprs", "cols", "columns"), is_names)
        columns = {}
        for text in exprs:
            value, alias = split_alias(text)
            if value == "*":
                columns.update(relation.columns)
                continue
            windowed = window_call(value)
            if windowed:
                relation = self.windowed(relation, windowed, alias or windowed[0])
                columns = {name: relation.columns[name] for name in columns}
                columns[alias or windowed[0]] = relation.columns[alias or windowed[0]]
                continue
            plain = value.strip("`")
            if plain in relation.columns:
                columns[alias or plain] = relation.columns[plain]
                continue
            name = alias or value.split(".")[-1].strip("`")
            columns[name] = Column(relation.expr(value))
        out = Relation(relation.base, columns, relation.source, relation.filters, relation.stateful,
                       relation.watermark)
        simple = all(c.window or re.fullmatch(r"[\w.`]+", c.sql) for c in columns.values())
        return out if simple or out.source is not None else out.closed(source=None)

    def op_with_column(self, relation, op):
        name = op.get("name") or op.get("col")
        return self.op_select(relation, {"exprs": [c for c in relation.columns if c != name] +
                                         [f"{op.get('expr') or op.get('value')} as {name}"]})

    def op_drop(self, relation, op):
        gone = op.get("cols") or [op.get("col")]
        relation.columns = {n: c for n, c in relation.columns.items() if n not in gone}
        return relation

    def op_filter(self, relation, op):
        text = given(op, ("cond", "expr", "condition", "where", "on"), is_text)
        relation.filters.append(f"({relation.expr(text)})")
        return relation

    def windowed(self, relation, spec, name):
        kind, args = spec
        inner = relation.closed()
        time = args[0].strip("`")
        column = inner.columns.get(time)
        if column is None:
            match = re.fullmatch(r"window_time\s*\(\s*(\w+)\s*\)", args[0])
            column = inner.columns.get(match.group(1)) if match else None
        if column is None:
            raise Unsupported(f"a window over {args[0]}")
        descriptor = column.sql[2] if column.window else column.sql
        sizes = [duration_ms(arg) for arg in args[1:]]
        table = f"TABLE ({relation.select()})"
        if kind == "session_window":
            raise Unsupported("sessions outside of an aggregation")
        size = sizes[0]
        slide = sizes[1] if len(sizes) > 1 else size
        offset = sizes[2] if len(sizes) > 2 else 0
        if slide > size:
            raise Refused("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION: slide > size")
        tail = f", {interval(offset)}" if offset else ""
        if slide == size:
            call_text = f"TUMBLE({table}, DESCRIPTOR({descriptor}), {interval(size)}{tail})"
        else:
            call_text = f"HOP({table}, DESCRIPTOR({descriptor}), {interval(slide)}, {interval(size)}{tail})"
        columns = dict(inner.columns)
        columns[name] = Column(("window_start", "window_end", "window_time"), True)
        return Relation(f"TABLE({call_text})", columns, None, (), relation.stateful, relation.watermark)

    def session(self, relation, args, keys):
        if not re.match(r"""^['"]""", args[1].strip()):
            raise Unsupported("a session gap that is computed")
        inner = relation.closed()
        column = inner.columns.get(args[0].strip("`"))
        if column is None:
            raise Unsupported(f"a session over {args[0]}")
        descriptor = column.sql[2] if column.window else column.sql
        by = f" PARTITION BY ({', '.join(keys)})" if len(keys) > 1 else (
            f" PARTITION BY {keys[0]}" if keys else "")
        text = (f"TABLE(SESSION(TABLE ({relation.select()}){by}, DESCRIPTOR({descriptor}), "
                f"{interval(duration_ms(args[1]))}))")
        return Relation(text, dict(inner.columns), None, (), relation.stateful, relation.watermark)

    def op_group(self, relation, op):
        by = op.get("by") or op.get("keys") or []
        aggs = op.get("aggs") or op.get("agg") or op.get("exprs") or []
        plain = []  # (name, text)
        window = None
        order = []
        for text in by:
            value, alias = split_alias(text)
            spec = window_call(value)
            if spec:
                if window:
                    raise Refused("Multiple time/session window expressions are not supported")
                window = (spec, alias or spec[0])
                order.append(alias or spec[0])
            else:
                name = alias or value.split(".")[-1].strip("`")
                plain.append((name, value))
                order.append(name)
        computed = {}
        for name, value in plain:
            if value.strip("`") not in relation.columns:
                computed[name] = Column(relation.expr(value))
        if computed:
            columns = dict(relation.columns)
            columns.update(computed)
            relation = Relation(relation.base, columns, relation.source, relation.filters,
                                relation.stateful, relation.watermark).closed()
        elif relation.filters or not all(
                c.window or re.fullmatch(r"[\w.`]+", c.sql) for c in relation.columns.values()):
            relation = relation.closed()
        names = {name: (name if name in computed else value.strip("`")) for name, value in plain}
        if window and window[0][0] == "session_window":
            keys = [relation.closed().columns[names[name]].sql for name, _ in plain]
            relation = self.session(relation, window[0][1], keys)
            relation.columns[window[1]] = Column(("window_start", "window_end", "window_time"), True)
        elif window:
            relation = self.windowed(relation, window[0], window[1])
        columns, group = {}, []
        for name in order:
            column = relation.columns[names.get(name, name)]
            columns[name] = column
            group += [sql for sql in column.sql if sql] if column.window else [column.sql]
        for text in aggs:
            value, alias = split_alias(text)
            name = alias or re.sub(r"count\(\*\)", "count(1)", value)
            columns[name] = Column(relation.expr(value))
        out = Relation(relation.base, columns, None, relation.filters, True, relation.watermark)
        sql = out.select() + (f" GROUP BY {', '.join(group)}" if group else "")
        made = Relation(f"({sql}) AS g", out.closed().columns, None, (), True, relation.watermark)
        if op.get("having"):
            made = self.op_filter(made, {"cond": op["having"]})
        return made

    def op_dedup(self, relation, op, function="DROP_DUPLICATES"):
        inner = relation.closed()
        names = given(op, ("cols", "columns", "by", "keys"), is_names) if len(op) > 1 else None
        names = names or list(relation.columns)
        keys = []
        for name in names:
            column = inner.columns.get(name)
            if column is None:
                raise Unsupported(f"column {name}")
            keys += [sql for sql in column.sql if sql] if column.window else [column.sql]
        inner.base = f"TABLE({function}(TABLE ({relation.select()}), DESCRIPTOR({', '.join(keys)})))"
        inner.stateful = True
        return inner

    def op_dedup_wm(self, relation, op):
        return self.op_dedup(relation, op, "DROP_DUPLICATES_WITHIN_WATERMARK")

    def op_join(self, relation, op):
        other = given(op, ("right", "with", "other"), is_pipeline)
        how = re.sub(r"[_ ]", "", str(op.get("how") or op.get("type") or "inner")).lower()
        right = self.pipeline(other if isinstance(other, list) else [other])
        fixed = [getattr(relation, "is_static", False), getattr(right, "is_static", False)]
        on = op.get("on") or op.get("cond") or op.get("condition")
        using = on if isinstance(on, list) else None
        if isinstance(on, str) and re.fullmatch(r"\w+", on):
            using = [on]

        def condition_of(a_side, b_side):
            conditions = []
            if using:
                for name in using:
                    a, b = a_side.columns[name], b_side.columns[name]
                    pairs = list(zip(a.sql, b.sql))[:2] if a.window else [(a.sql, b.sql)]
                    conditions += [f"{x} = {y}" for x, y in pairs]
            elif on:
                conditions.append(translate(window_equalities(tokens(on), a_side, b_side),
                                            lambda name, part: two_sided(a_side, b_side, name, part)))
            return " AND ".join(conditions) or "TRUE"

        looks_up = on and not (relation if fixed[0] else right).filters and fixed[0] != fixed[1] and (
            how == "inner" or how in (("right", "rightouter") if fixed[0] else ("left", "leftouter")))
        static = any(fixed)
        if looks_up:
            word = "JOIN" if how == "inner" else "LEFT JOIN"
            if fixed[0]:
                base, right, left = self.lookup_join(right, relation, word,
                                                     lambda a, b: condition_of(b, a))
            else:
                base, left, right = self.lookup_join(relation, right, word, condition_of)
            how = "inner" if how == "inner" else how
        else:
            left, right = relation.closed("l"), right.closed("r")
        kinds = {"inner": "JOIN", "left": "LEFT JOIN", "leftouter": "LEFT JOIN", "right": "RIGHT JOIN",
                 "rightouter": "RIGHT JOIN", "full": "FULL JOIN", "outer": "FULL JOIN",
                 "fullouter": "FULL JOIN"}
        watermark = left.watermark or right.watermark
        if how in ("leftsemi", "semi", "leftanti", "anti"):
            word = "EXISTS" if "semi" in how else "NOT EXISTS"
            base = (f"{left.base} WHERE {word} (SELECT 1 FROM {right.base} WHERE "
                    f"{condition_of(left, right)})")
            out = Relation(base, left.columns, None, (), True, watermark)
            return Relation(f"({out.select()}) AS j", out.closed().columns, None, (), True, watermark)
        if how == "cross":
            how, on, using = "inner", None, None
        if how not in kinds:
            raise Unsupported(f"join {how}")
        if not looks_up:
            base = f"{left.base} {kinds[how]} {right.base} ON {condition_of(left, right)}"
        columns = dict(left.columns)
        for name, column in right.columns.items():
            if using and name in using:
                if how in ("right", "rightouter"):
                    columns[name] = column
                elif how in ("full", "outer", "fullouter") and not column.window:
                    columns[name] = Column(f"COALESCE({left.columns[name].sql}, {column.sql})")
                continue
            columns[name if name not in columns else name + "_r"] = column
        out = Relation(base, columns, None, (), not static, watermark)
        return Relation(f"({out.select()}) AS j", out.closed().columns, None, (), not static, watermark)

    def op_union(self, relation, op):
        other = given(op, ("right", "with", "other", "pipeline"), is_pipeline)
        right = self.pipeline(other if isinstance(other, list) else [other])
        base = f"({relation.select()} UNION ALL {right.select()}) AS u"
        return Relation(base, relation.closed().columns, None, (),
                        relation.stateful or right.stateful, relation.watermark or right.watermark)

    def set_operation(self, relation, op, word):
        other = given(op, ("right", "with", "other", "pipeline"), is_pipeline)
        right = self.pipeline(other if isinstance(other, list) else [other])
        return Relation(f"({relation.select()} {word} {right.select()}) AS u",
                        relation.closed().columns, None, (), True, relation.watermark)

    def op_intersect(self, relation, op):
        return self.set_operation(relation, op, "INTERSECT")

    def op_except(self, relation, op):
        return self.set_operation(relation, op, "EXCEPT")

    def op_limit(self, relation, op):
        n = given(op, ("n", "limit", "count"), lambda value: isinstance(value, int))
        if getattr(relation, "order", None):
            relation.limit = n
            return relation
        return Relation(f"({relation.select()} LIMIT {n}) AS m", relation.closed().columns, None, (),
                        True, relation.watermark)

    def op_sort(self, relation, op):
        inner = relation.closed()
        items = []
        for text in given(op, ("by", "cols", "exprs", "keys"), is_names):
            match = re.match(r"^(.*?)(\s+(?:asc|desc))?(\s+nulls\s+\w+)?$", text.strip(), re.I)
            value = inner.columns.get(match.group(1).strip("`"))
            sql = value.sql[0] if value is not None and value.window else inner.expr(match.group(1))
            items.append(sql + (match.group(2) or "").upper() + (match.group(3) or "").upper())
        inner.order = ", ".join(items)
        return inner

    # ---- the script

    def script(self, paths, interval_ms):
        relation = self.pipeline(self.case["pipeline"])
        query = relation.select()
        if getattr(relation, "order", None):
            query += f" ORDER BY {relation.order}"
        if getattr(relation, "limit", None):
            query += f" LIMIT {relation.limit}"
        text = "".join(source.create(paths[name], interval_ms) for name, source in self.sources.items())
        for name, (schema, _) in self.statics.items():
            columns = ", ".join(f"{quote(column)} {kind}" for column, kind in schema)
            text += (f"CREATE TABLE {quote(name)} ({columns}) WITH ('connector' = 'filesystem', "
                     f"'path' = '{paths[name]}', 'format' = 'json');\n")
        return text + query + ";\n", relation.columns


ALIASES = {"where": "filter", "having": "filter", "agg": "group", "aggregate": "group",
           "groupby": "group", "group_by": "group", "selectexpr": "select", "select_expr": "select",
           "project": "select", "drop_duplicates": "dedup", "dropduplicates": "dedup",
           "distinct": "dedup", "deduplicate": "dedup", "drop_duplicates_within_watermark": "dedup_wm",
           "dropduplicateswithinwatermark": "dedup_wm", "dedup_within_watermark": "dedup_wm",
           "order": "sort", "order_by": "sort", "orderby": "sort", "withcolumn": "with_column",
           "with": "with_column", "column": "with_column", "with_watermark": "watermark"}


def parse_schema(text):
    if isinstance(text, list):
        return [(c["name"], TYPES.get(c["type"].lower(), c["type"].upper())) for c in text]
    schema = []
    for part in split_top(text, ","):
        name, kind = part.split(None, 1)
        schema.append((name.strip("`"), TYPES.get(kind.strip().lower(), kind.strip().upper())))
    return schema


def window_call(text):
    match = re.fullmatch(r"\s*(window|session_window)\s*\((.*)\)\s*", text, re.I | re.S)
    if not match:
        return None
    return match.group(1).lower(), split_top(match.group(2), ",")


def two_sided(left, right, name, part):
    if part is not None and name.lower() in ("l", "left", "a"):
        return left.column(part, None)
    if part is not None and name.lower() in ("r", "right", "b"):
        return right.column(part, None)
    for side in (left, right):
        if name in side.columns:
            return side.column(name, part)
    return left.column(name, part)


def window_equalities(toks, left, right):
    """Windows are equal when their bounds are."""
    out, i = [], 0
    windows = {n for side in (left, right) for n, c in side.columns.items() if c.window}
    while i < len(toks):
        names = [t[1].strip("`") for t in toks[i:i + 3]]
        if len(names) == 3 and names[0] in windows and names[1] in ("=", "==") and names[2] in windows:
            out += tokens(f"({names[0]}.start = {names[2]}.start and {names[0]}.end = {names[2]}.end)")
            i += 3
            continue
        out.append(toks[i])
        i += 1
    return out
