"""Typical wrong solutions of notebook C, each with a piece of what its check should say."""

ADVANTAGE = "def group_advantage(rewards):\n    mean = rewards.mean(axis=1, keepdims=True)\n    return "
WEIGHT = "def dpo_weight(margin, beta):\n    return "
KL = "def kl_estimate(now, first, mask):\n    return "
REWARD = "def my_reward(fact, text):\n    return "

MISTAKES = {
    "group_advantage": [
        (ADVANTAGE + "rewards - mean", "divide them by the question's standard deviation"),
        (ADVANTAGE + "rewards - rewards.mean()", "mean over all answers of the step"),
        (ADVANTAGE + "(rewards - rewards.mean()) / rewards.std()", "mean over all answers of the step"),
        (ADVANTAGE + "(rewards - mean) / rewards.std(axis=1, keepdims=True)", "The deviation is 0 there"),
        (ADVANTAGE + "(mean - rewards) / (rewards.std(axis=1, keepdims=True) + 1e-4)", "sign is turned round"),
        (ADVANTAGE + "(rewards[0] - rewards[0].mean()) / rewards[0].std()", "yours has shape (4,)"),
        (ADVANTAGE + "(rewards - mean) / (rewards.std() + 1e-4)", "divided by their standard deviation; yours"),
        ("def group_advantage(rewards):\n    rewards -= rewards.mean(axis=1, keepdims=True)\n"
         "    return rewards / (rewards.std(axis=1, keepdims=True) + 1e-4)", "leave `rewards` as they are"),
        ("def group_advantage(rewards):\n    return (rewards - rewards.mean(axis=1)) / rewards.std(axis=1)",
         "ValueError: operands could not be broadcast"),
    ],
    "dpo_weight": [
        (WEIGHT + "beta / (1 + np.exp(-margin))", "it grows where it should fall"),
        (WEIGHT + "1 / (1 + np.exp(margin))", "that is the sigmoid alone"),
        (WEIGHT + "-beta / (1 + np.exp(margin))", "so it is above 0"),
        (WEIGHT + "np.logaddexp(0, -margin)", "that is the loss itself"),
        (WEIGHT + "beta / (1 + np.exp(margin))", "np.exp overflows"),
        (WEIGHT + "beta * (0.5 * (1 - np.tanh(beta * margin / 2)))", "beta times the sigmoid of minus the margin"),
        (WEIGHT + "float(beta * (0.5 * (1 - np.tanh(margin / 2))).mean())", "one number a pair"),
    ],
    "kl_estimate": [
        (KL + "(mask * (first - now)).sum() / len(now)", "the sign: log p of the model now"),
        (KL + "(now - first).sum() / len(now)", "multiply by the mask"),
        (KL + "(mask * (now - first)).sum() / mask.sum()", "nats per answer"),
        (KL + "(mask * (now - first)).sum()", "divide by their number"),
        (KL + "(mask * np.exp(now) * (now - first)).sum() / len(now)", "once more"),
        (KL + "(mask * (now - first)).sum(axis=1)", "one number for all answers"),
    ],
    "my_reward": [
        (REWARD + "float(fact in text)", "the fact, and much more"),
        (REWARD + "len(text.split()) / 10", "a wrong answer"),
        (REWARD + "1.0", "a wrong answer"),
        (REWARD + "float(fact in text) / len(text)", "ZeroDivisionError"),
        (REWARD + "float('Lima' in text) - len(text) / 100", "does not look at the fact"),
        (REWARD + "'good' if fact in text else 'bad'", "finite number"),
    ],
}
