"""Plans with LeRobot's own code, for comparison: a program for LeRobot's Python, where nothing of Tactus is installed.

    python lerobot_worker.py CHECKPOINT THREADS

answers each line `{"inputs": FILE.npz, "outputs": FILE.npy}` with `{"ms": …, "cpu_ms": …}`. The inputs: each image of config.json, uint8
(times, H, W, 3); `observation.state` (times, n); for a diffusion policy `noise` (horizon, actions). The outputs are the
chunk's rows, un-normalised. Counted is what a robot waits for: from the arrays to the rows.
"""

import json
import sys
import time

import numpy as np
import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies import get_policy_class, make_pre_post_processors


class Original:
    """A checkpoint, loaded and run by LeRobot."""

    def __init__(self, folder: str) -> None:
        self.config = PreTrainedConfig.from_pretrained(folder)
        self.config.device = "cpu"
        self.policy = get_policy_class(self.config.type).from_pretrained(folder, config=self.config)
        self._before, self._behind = make_pre_post_processors(
            self.config, pretrained_path=folder, preprocessor_overrides={"device_processor": {"device": "cpu"}}
        )

    @torch.inference_mode()
    def plan(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Return the rows of a chunk, un-normalised."""
        batch = {}
        for key, values in inputs.items():
            tensor = torch.from_numpy(values)
            if tensor.dtype == torch.uint8:
                tensor = tensor.permute(0, 3, 1, 2).float() / 255.0
            # `act` knows no times.
            batch[key] = tensor[None] if self.config.type == "diffusion" else tensor
        more = {"noise": batch.pop("noise")} if "noise" in batch else {}
        return self._behind(self.policy.predict_action_chunk(self._before(batch), **more))[0].numpy()


def main() -> None:
    """Answer until the input ends."""
    # What LeRobot prints while it loads must not be taken for an answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    torch.set_num_threads(int(sys.argv[2]))
    original = Original(sys.argv[1])
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        with np.load(asked["inputs"], allow_pickle=False) as file:
            inputs = dict(file)
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        rows = original.plan(inputs)
        answer = {"ms": (time.perf_counter() - began_s) * 1e3, "cpu_ms": (time.process_time() - began_cpu_s) * 1e3}
        np.save(asked["outputs"], rows)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
