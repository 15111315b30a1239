"""The command `polymicro completion`."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "polymicro"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script by which a shell completes the commands and options of polymicro.

    \b
    Example, to have it in every new shell:
      echo 'eval "$(polymicro completion bash)"' >> ~/.bashrc
      echo 'eval "$(polymicro completion zsh)"' >> ~/.zshrc
      polymicro completion fish > ~/.config/fish/completions/polymicro.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None  # nosec B101 # noqa: S101 - click has all of SHELLS
    script = kind(ctx.find_root().command, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE")
    click.echo(script.source())
