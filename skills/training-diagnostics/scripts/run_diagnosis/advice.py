"""What goes with every fault: what else leaves the same trace, what separates them, the first fix and its check."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Advice:
    """The standing part of a finding.

    Args:
        alternatives: what else leaves the same trace.
        next_measurement: the measurement that separates them.
        fix: what to change first, and nothing beside it.
        check: what the next log shows if that was the cause.
    """

    alternatives: tuple[str, ...]
    next_measurement: str
    fix: str
    check: str


ADVICE: dict[str, Advice] = {
    "non-finite": Advice(
        (
            "a bad input (NaN, infinity, an empty mask or sequence)",
            "log(0), 0/0, a square root at 0 or a softmax row that is masked throughout",
            "float16 overflow",
            "a step that was too large",
        ),
        "run the batch of that step again from the checkpoint before it, with checks after every module "
        "(probe_model.py, torch.autograd.set_detect_anomaly, jax_debug_nans), and name the first one that is not "
        "finite",
        "repair the module or the sample that makes the first value that is not finite; clipping does not remove a NaN",
        "the same step with the same batch gives a finite loss and a finite gradient norm",
    ),
    "diverging": Advice(
        (
            "learning rate too high, or growing",
            "the sign of the loss or of an update is wrong",
            "the data changed (another shard, another preprocessing)",
            "stale second moments of Adam",
        ),
        "go back to the last good checkpoint and run on twice: once with a tenth of the learning rate, once with the "
        "learning rate as it is and the batches of an earlier part of the run",
        "a tenth of the learning rate from the last good checkpoint",
        "the loss passes the step where it rose and stays at or below its level before",
    ),
    "learning-rate-too-high": Advice(
        (
            "inputs or targets on a much larger scale than the initialisation expects",
            "a loss that is summed over the batch where the rate was chosen for a mean",
            "no warm-up where the optimizer needs one",
        ),
        "a learning-rate range test from the same initialisation, or three runs of a hundred steps at 1, 1/3 and "
        "1/10 of the rate",
        "a tenth of the learning rate",
        "the loss goes down from the first steps on without rising above its start",
    ),
    "learning-rate-too-low": Advice(
        (
            "the run is short: the same curve, cut off early",
            "most parameters are frozen or outside the optimizer",
            "gradients are scaled down (an average taken twice, clipping far below the usual norm)",
        ),
        "the ratio of update to weight norm per layer (probe_model.py), and a hundred steps at ten times the rate",
        "ten times the learning rate",
        "the loss falls several times faster over the same number of steps, without rising first",
    ),
    "overfitting": Advice(
        (
            "training labels are noisy: the network starts to memorise them",
            "the validation data come from another distribution",
            "validation loss rises by overconfidence while the metric still improves",
        ),
        "validation metric and validation loss side by side, and the training loss in evaluation mode on as many "
        "examples",
        "keep the checkpoint with the best validation loss (early stopping); then more data, augmentation or "
        "regularisation. "
        "A decay of the learning rate only slows the memorising",
        "the validation loss of the kept checkpoint is that of the minimum of this run; with more data or "
        "regularisation "
        "the minimum is lower",
    ),
    "underfitting": Advice(
        (
            "labels that the inputs do not determine (noise): no network would do better",
            "regularisation too strong",
            "inputs that lost the information on the way",
            "learning rate too high for the last part of the way down",
        ),
        "a network with several times the width, without weight decay and dropout, on a few hundred training examples: "
        "if it fits them, capacity or regularisation was the limit",
        "less regularisation first, then a wider or deeper network",
        "the training loss levels off lower, and validation follows",
    ),
    "plateau": Advice(
        (
            "a learning rate near zero over the stretch",
            "a flat region near a saddle or from saturated units, left by chance",
            "layers that were frozen for a while",
        ),
        "gradient norm and update/weight ratio per layer inside the stretch: small gradients mean a flat region, "
        "small updates with ordinary gradients mean the learning rate or frozen layers",
        "if the learning rate was near zero in the stretch, its schedule; else initialisation or normalisation",
        "the stretch is gone or shorter, at the same seed",
    ),
    "loss-spikes": Advice(
        (
            "single bad batches (corrupt, unnormalised or mislabelled samples)",
            "something that happens at the boundary of an epoch: a last small batch, a shuffle that is missing",
            "learning rate at the edge of stability",
            "second moments of Adam that lag behind the gradients",
            "float16 overflow",
        ),
        "log the indices of the batches at the spikes and their gradient norms; run one of them again in the "
        "checkpoint "
        "before it: a high loss there means the batch, an ordinary one means the optimizer",
        "look at the samples of those batches; if they are sound, clip the gradient norm at the 90th percentile "
        "of this run",
        "no spike at the same steps with the same order of data",
    ),
    "resume-jump": Advice(
        (
            "optimizer state, a layer or the running statistics were not restored",
            "an older checkpoint was loaded than the step says",
            "the schedule or the data order began anew",
            "preprocessing or code changed between the two parts",
        ),
        "evaluate the loaded checkpoint on one fixed batch before the first step and compare with the loss "
        "logged when it "
        "was saved; then list which keys of model, optimizer, scheduler and random state were loaded",
        "restore what is missing in the checkpoint, strictly (an error on any missing or unexpected key)",
        "the first losses after the resume lie within the noise of those before it",
    ),
    "clipping-always-active": Advice(
        (
            "the threshold is below the usual norm of this network",
            "the loss is summed instead of averaged, which scales the norm",
            "gradients do explode, and clipping hides it",
        ),
        "the distribution of the gradient norm before clipping, per layer, over a hundred steps",
        "a threshold at the 90th percentile of the norms of this run, or none; with SGD lower the learning rate at the "
        "same time as the threshold goes up, since clipped steps were shorter",
        "clipping acts on a tenth of the steps or fewer, and the loss falls at least as fast",
    ),
    "loss-at-chance": Advice(
        (
            "parameters are not trained: frozen, not handed to the optimizer, detached, learning rate 0",
            "the signal dies in a deep network (initialisation, saturation)",
            "labels do not belong to the inputs",
            "inputs are constant or masked away",
        ),
        "overfit one batch (sanity_suite.py) and look at the gradient norm of every parameter (probe_model.py): "
        "zero or "
        "missing means not trained or dead, ordinary ones mean labels or inputs",
        "what the probe names; without it, check that every parameter with a gradient is in the optimizer",
        "the loss on one fixed batch goes to nearly zero",
    ),
    "loss-floor": Advice(
        (
            "softmax or sigmoid is applied before a loss that applies it itself",
            "label smoothing or soft targets",
            "a term added to the loss that does not go to zero",
            "logits limited by a small temperature, normalisation or strong weight decay",
        ),
        "range of what goes into the loss: values only in 0…1 are probabilities, where logits are expected",
        "hand logits to the loss and apply softmax or sigmoid only for predictions",
        "with the same accuracy the loss goes below the floor",
    ),
    "constant-metric": Advice(
        (
            "the metric is computed from stale predictions, the wrong axis or an empty selection",
            "the network predicts one class for every example",
            "the threshold of the metric lies outside the range of the outputs",
        ),
        "compute the metric by hand from saved outputs of two checkpoints, and count the predicted classes",
        "repair the computation of the metric, or its inputs, before anything in the network",
        "the metric changes between evaluations while the loss changes",
    ),
    "schedule-ended-early": Advice(
        (
            "the schedule counts epochs where steps are meant, or the reverse",
            "it was set up for a smaller data set, fewer devices or fewer epochs",
            "the optimizer steps several times per counted step, or the scheduler is stepped twice",
        ),
        "the number of scheduler steps that this run makes against the length that the schedule was given",
        "set the length of the schedule to the number of optimizer steps of the run",
        "the learning rate reaches its end in the last few steps, and the loss goes on falling until then",
    ),
    "leakage-suspected": Advice(
        (
            "training examples, or near copies, in the validation set",
            "a feature that holds the label",
            "so much data that no example is seen twice, or a task without noise: then no gap is expected",
        ),
        "compare hashes of the examples of both splits; then evaluate once on data collected apart from both",
        "split by source (patient, document, day) before anything else, and remove copies",
        "a gap between training and validation appears",
    ),
    "labels-shuffled": Advice(
        (
            "labels of the training set or of the validation set are in another order than the inputs",
            "validation inputs are preprocessed differently from training inputs",
            "the labels cannot be predicted from these inputs at all",
        ),
        "look at ten validation and ten training examples with their labels; then evaluate on training examples "
        "through "
        "the validation pipeline: good there means the validation set, bad means the pipeline",
        "keep inputs and labels in one structure from reading to batch",
        "validation loss falls below that of the untrained network within the first epochs",
    ),
}
