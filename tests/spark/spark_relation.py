# SPDX-License-Identifier: Apache-2.0
"""What a pipeline has come to: columns over a FROM."""

from spark_expressions import Unsupported, interval, quote, tokens, translate


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
                return quote(name)  # the engine says what is wrong
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
