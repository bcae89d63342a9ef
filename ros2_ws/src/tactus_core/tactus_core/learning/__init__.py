"""What learning from episodes has in common, wherever they were lived: the record of an episode, and the folder of bundle versions."""
