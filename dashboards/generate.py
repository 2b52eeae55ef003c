"""Write every generated file anew: `python -m dashboards.generate`; with `--check` only say which are not current."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from dashboards.lib import kubernetes, model
from dashboards.pages import dashboards
from dashboards.rules.inhibition import inhibit_text
from dashboards.rules.settings import Settings
from dashboards.rules.text import document, groups, rules_text

HERE = Path(__file__).parent


def files(settings: Settings) -> Iterator[tuple[Path, str]]:
    """Every generated file and its content."""
    pages = dashboards(settings)
    for page in pages:
        text = model.text(page)
        yield HERE / "grafana" / f"{page.slug}.json", text
        yield HERE / "kubernetes" / f"dashboard-{page.slug}.yaml", kubernetes.config_map(page.slug, page.title, text)
    rules = kubernetes.prometheus_rule(document(groups(settings), settings))
    yield HERE / "kubernetes" / "prometheus-rule.yaml", rules
    yield HERE / "prometheus" / "hypervisor.rules.yml", rules_text(settings)
    yield HERE / "alertmanager" / "inhibit-rules.yml", inhibit_text(groups(settings))


def main() -> int:
    """Write, or check."""
    stale = [(path, text) for path, text in files(Settings()) if not path.exists() or path.read_text() != text]
    for path, text in stale:
        if "--check" in sys.argv:
            sys.stderr.write(f"{path} is not current: run make dashboards\n")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
