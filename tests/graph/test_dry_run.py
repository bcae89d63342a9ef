"""A dry run: the policy acts, the guard judges, and the robot is sent nothing."""

from std_srvs.srv import SetBool

from tactus_nodes import topics


def test_everything_runs_and_nothing_is_sent(launch):
    verdicts, commands = [], []
    with launch(dry_run="true") as (launched, session):
        session.wait_ready(60.0)
        for topic, heard in ((topics.VERDICT, verdicts), (topics.ARM_TARGET, commands), (topics.HAND_COMMAND, commands)):
            session.listen(topic, heard.append)
        session.call(SetBool, "slow_policy/run", data=True)
        session.wait_for(lambda: sum(verdict.state == "running" for verdict in verdicts) > 100, 20.0, "verdicts")
    assert not commands
    assert "DRY RUN" in launched.running("guard")[0].log.read_text()
