"""`casefhir plot`: one measurement as a figure."""

from pathlib import Path

import rich_click as click

from casefhir.cli.common import talk
from casefhir.whole_file import write_file


@click.command()
@click.argument("bundles", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--code", required=True, help="What to plot: ck, crp, igg, dlco …, a code, or a name.")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The .svg or .png to write."
)
def plot(bundles: tuple[Path, ...], code: str, output: Path) -> None:
    """Plot one measurement of R4 bundles or NDJSON as SVG or PNG, a panel a case.

    The axis has the unit, the range of reference is a band, and dates are drawn as precise as they are told.

    Example: casefhir plot bundles/scig-antisynthetase-jo1.json --code ck -o ck.svg
    """
    from casefhir.report.bundles import read
    from casefhir.report.plot import drawn_figure, figure

    suffix = output.suffix.lower()
    if suffix not in (".svg", ".png"):
        raise click.UsageError(f"{output}: give a name that ends with .svg or .png.")
    resources = read(bundles)
    if resources.doubt:
        talk(resources.doubt)
    data = drawn_figure(figure(resources, code), "svg" if suffix == ".svg" else "png")
    write_file(output, data)
    talk(f"Written to {output}.")
