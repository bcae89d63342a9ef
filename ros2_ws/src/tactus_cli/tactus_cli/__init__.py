"""The `tactus` command.

A command is one module in `tactus_cli/commands/`, named as the command. It holds a click command (or a group, for `tactus bench latency`)
called `command`; the first line of the module's docstring is its line in `tactus --help`. Nothing else has to be told: the module is
found by its name, and imported only when its command is called.

    # commands/evaluate.py
    "Success rate of a policy bundle over many episodes."

    @click.command()
    @click.option("--episodes", default=20, show_default=True, help="How many episodes to run.")
    @seed_option
    @json_option
    def command(episodes: int, seed: int, json_file: Path | None) -> None:
        ...
        write_json(json_file, result)

Heavy imports (rclpy, pybullet, matplotlib, torch) belong inside functions, so that `--help` stays fast. Options that many commands
share are in `tactus_cli.options`. A TactusError becomes one paragraph on stderr and exit code 1; Ctrl-C and SIGTERM become exit code
130. A command that returns an int ends with that exit code.
"""
