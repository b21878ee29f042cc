"""What a benchmark measured, as tables in Markdown. Figures are by row, then by server, then by label; of each, less is better."""

_IF_ANY = ("lost", "sent again", "begun again")


class Table:
    """`ours` is the server that the others, the peers, are compared with."""

    def __init__(self, ours):
        self._ours = ours
        self._rows = {}

    def add(self, row, server, figures):
        """`figures`: label -> value; the first one is compared. "lost" and others of _IF_ANY are shown if not zero."""
        self._rows.setdefault(row, {})[server] = figures

    def print_comparison(self):
        """The best peer of each row, ours, and the ratio."""
        print("| figure | peer's best, measured here | ours | ours / peer's |\n|---|---|---|---|")
        for row, by_server in self._rows.items():
            ours = by_server.get(self._ours, {})
            peer = self._best(by_server)
            ratio = ""
            if peer and ours:
                of_ours, of_peer = (next(iter(figures.values())) for figures in (ours, peer[1]))
                ratio = f"{of_ours / of_peer:.2f}" if of_peer else ""
            print(f"| {row} | {f'{peer[0]} {_shown(peer[1])}' if peer else '-'} | {_shown(ours)} | {ratio} |")

    def print_all(self):
        """Every server of each row."""
        print("| figure | server | median |\n|---|---|---|")
        for row, by_server in self._rows.items():
            for server, figures in by_server.items():
                print(f"| {row} | {server} | {_shown(figures)} |")

    def _best(self, by_server):
        """The peer whose first figure is the least among those that lost nobody; of none such, among all."""
        of_peers = {server: figures for server, figures in by_server.items() if server != self._ours}
        whole = {server: figures for server, figures in of_peers.items() if not figures.get("lost")}
        return min((whole or of_peers).items(), key=lambda item: next(iter(item[1].values())), default=None)


def _number(value):
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def _shown(figures):
    return ", ".join(f"{_number(value)} {label}" for label, value in figures.items()
                     if label not in _IF_ANY or value) or "-"
