# SPDX-License-Identifier: Apache-2.0
"""Pipelines of Spark, as data, in the SQL of Tidegate."""

import re

from spark_expressions import (Refused, TYPES, Unsupported, duration_ms, gap_ms, interval, millis,
                               moment, quote, split_alias, split_top, tokens, translate)
from spark_relation import Column, Relation, Source


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
        if delay_ms < 0:
            raise Refused("delay threshold should not be negative")
        if relation.stateful or relation.watermark or relation.source is None:
            raise Refused("Redefining watermark is disallowed")
        found = relation.columns.get(column)
        if found is None:
            raise Refused(f"UNRESOLVED_COLUMN: watermark on {column}")
        if found.window:
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
        if not relation.watermark:
            return self.computed_windows(relation, inner, column.sql, size, slide, offset, name)
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

    def computed_windows(self, relation, inner, time, size, slide, offset, name):
        """Windows of a time that is no event time: columns as others are."""
        if slide > size:
            raise Refused("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION: slide > size")
        ms = millis(time)
        start = f"({ms} - MOD(MOD({ms} - {offset}, {slide}) + {slide}, {slide})"
        base, where = inner.base, [f"{time} IS NOT NULL"]
        if slide < size:
            shifts = ", ".join(str(-shift) for shift in range(0, size, slide))
            base += f" CROSS JOIN UNNEST(ARRAY[{shifts}]) AS shifts(`shift__`)"
            start += " + `shift__`"
            if size % slide:
                where.append(f"{start}) + {size} > {ms}")
        start += ")"
        columns = dict(inner.columns)
        columns[name] = Column((moment(start), moment(f"({start} + {size})"),
                                moment(f"({start} + {size - 1})")), True)
        made = Relation(base, columns, None, where, relation.stateful, False)
        return made.closed()

    def session(self, relation, args, keys):
        constant = re.match(r"""^['"]""", args[1].strip())
        if not relation.watermark:
            if self.case.get("mode", "append") == "append":
                raise Refused("append without a watermark in its keys")
            if relation.source is None or args[0].strip("`") not in relation.columns:
                raise Unsupported("sessions without a watermark behind other operators")
            # Nobody is ever late.
            relation = self.op_watermark(relation, {"col": args[0].strip("`"), "delay": "36500 days"})
        if not constant:
            relation.columns["gap__"] = Column(f"CAST({relation.expr(gap_ms(args[1]))} AS BIGINT)")
        inner = relation.closed()
        column = inner.columns.get(args[0].strip("`"))
        if column is None:
            raise Unsupported(f"a session over {args[0]}")
        descriptor = column.sql[2] if column.window else column.sql
        by = f" PARTITION BY ({', '.join(keys)})" if len(keys) > 1 else (
            f" PARTITION BY {keys[0]}" if keys else "")
        text = (f"TABLE(SESSION(TABLE ({relation.select()}){by}, DESCRIPTOR({descriptor}), "
                f"{interval(duration_ms(args[1])) if constant else 'DESCRIPTOR(`gap__`)'}))")
        inner.columns.pop("gap__", None)
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

        if on and fixed == [False, True] and how in ("leftsemi", "semi", "leftanti", "anti"):
            return self.static_semi(relation, right, how, condition_of)
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

    def static_semi(self, stream, table, how, condition_of):
        """Rows with (or without) a partner in a table that does not change."""
        name = table.base.strip("`")
        schema, rows = self.statics[name]
        probe = Relation(table.base, {n: Column("r." + c.sql) for n, c in table.columns.items()})
        condition = condition_of(stream.closed("l"), probe)
        used = [column for column, _ in schema if f"r.`{column}`" in condition]
        if re.search(r"[<>]|\bOR\b", condition) or not used:
            raise Unsupported(f"join {how} with a table by a condition that is no equality")
        distinct = {tuple(row.get(column) for column in used): row for row in rows}
        self.statics[name] = (schema + [("there__", "BOOLEAN")],
                              [{**row, "there__": True} for row in distinct.values()])
        right = Relation(table.base, {**table.columns, "there__": Column("`there__`")})
        base, left, right = self.lookup_join(stream, right, "LEFT JOIN", condition_of)
        test = "IS NOT NULL" if "semi" in how else "IS NULL"
        out = Relation(base, left.columns, None, [f"r.`there__` {test}"], stream.stateful,
                       stream.watermark)
        return Relation(f"({out.select()}) AS j", out.closed().columns, None, (), stream.stateful,
                        stream.watermark)

    def op_rename(self, relation, op):
        old = op.get("from") or op.get("old") or op.get("existing") or op.get("col")
        new = op.get("to") or op.get("new") or op.get("name")
        relation.columns = {(new if n == old else n): c for n, c in relation.columns.items()}
        return relation

    def op_union_by_name(self, relation, op):
        other = given(op, ("right", "with", "other", "pipeline"), is_pipeline)
        right = self.pipeline(other if isinstance(other, list) else [other])
        right.columns = {name: right.columns[name] for name in relation.columns}
        return self.union(relation, right)

    def op_union(self, relation, op):
        other = given(op, ("right", "with", "other", "pipeline"), is_pipeline)
        return self.union(relation, self.pipeline(other if isinstance(other, list) else [other]))

    @staticmethod
    def union(relation, right):
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

    # ---- functions with state per group

    def with_state(self, relation, op):
        """What such a function does, in the case's words (see record.py):

        {"op": "group_state" | "state_processor", "by": ["k"],
         "state": {"n": "count", "s": "sum v", "m": "max ts"}, "emit": ["k", "n", "timed_out"],
         "timeout": "10 seconds", "from": "m", "emits": "both", "clears": true}
        """
        state = op.get("state")
        if not isinstance(state, dict) or not isinstance(op.get("emit"), list) or not all(
                re.fullmatch(r"count|(sum|max|min|last) \w+", str(kind)) for kind in state.values()):
            raise Unsupported(f"{op['op']}: what its function does is not said as data")
        unknown = set(op) - {"op", "by", "state", "emit", "timeout", "from", "emits", "clears"}
        if unknown:
            raise Unsupported(f"{op['op']}: {', '.join(sorted(unknown))}")
        inner = relation.closed()
        keys = op["by"]
        out = Relation(inner.base, {name: inner.columns[name] for name in keys}, None, (), True,
                       relation.watermark)
        timeout = op.get("timeout")
        time = -1
        if timeout and relation.watermark:
            out.columns["ts"] = inner.columns["ts"]
            time = len(keys)
        variables = []
        for name, kind in state.items():
            what, _, column = kind.partition(" ")
            if column and column not in out.columns:
                out.columns[column] = inner.columns[column]
            variables.append([name, what, list(out.columns).index(column) if column else -1])
        self.state_function = {
            "keys": len(keys), "time": time, "state": variables, "emit": op["emit"],
            "timeout_ms": duration_ms(timeout) if timeout else 0, "from": op.get("from", ""),
            "strict": op["op"].lower() not in ("state_processor", "tws") and (
                "transform" not in op["op"].lower()),
            "emits": op.get("emits", "both"), "clears": op.get("clears", True)}
        return out

    # ---- the script

    def script(self, paths, interval_ms):
        ops = self.case["pipeline"]
        is_state = [op["op"].lower() in STATE_FUNCTIONS for op in ops]
        self.state_function = None
        if any(is_state):
            if is_state.index(True) != len(ops) - 1:
                raise Unsupported(f"operators behind {ops[is_state.index(True)]['op']}")
            relation = self.with_state(self.pipeline(ops[:-1]), ops[-1])
        else:
            relation = self.pipeline(ops)
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
        if self.state_function:
            return text + query + ";\n", {name: Column(quote(name)) for name in
                                          self.state_function["emit"]}
        return text + query + ";\n", relation.columns


ALIASES = {"withcolumnrenamed": "rename", "with_column_renamed": "rename", "unionbyname": "union_by_name",
           "unionall": "union", "union_all": "union", "dedup_within": "dedup_wm", "take": "limit",
           "dedup_within_watermark_on": "dedup_wm", "drop_columns": "drop", "where": "filter", "having": "filter", "agg": "group", "aggregate": "group",
           "groupby": "group", "group_by": "group", "selectexpr": "select", "select_expr": "select",
           "project": "select", "drop_duplicates": "dedup", "dropduplicates": "dedup",
           "distinct": "dedup", "deduplicate": "dedup", "drop_duplicates_within_watermark": "dedup_wm",
           "dropduplicateswithinwatermark": "dedup_wm", "dedup_within_watermark": "dedup_wm",
           "order": "sort", "order_by": "sort", "orderby": "sort", "withcolumn": "with_column",
           "with": "with_column", "column": "with_column", "with_watermark": "watermark"}


STATE_FUNCTIONS = {"group_state", "state_processor", "apply_in_pandas_with_state", "pandas_state",
                   "applyinpandaswithstate", "transform_with_state", "transformwithstate",
                   "transform_with_state_in_pandas", "transformwithstateinpandas", "tws",
                   "flat_map_groups_with_state", "flatmapgroupswithstate",
                   "map_groups_with_state", "mapgroupswithstate"}


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
