"""Names that the checks know, with units and what configurations call them; and what a paper must say."""

from __future__ import annotations

import dataclasses

COUNT, RATE, SHARE = "count", "rate", "share"


@dataclasses.dataclass(frozen=True)
class Standard:
    """A name with a fixed meaning.

    Args:
        unit: a unit of the same dimensions.
        kinds: the words that a unit without dimension may be; any where this is empty.
        bounds: count (a whole number above 0), rate (above 0), share (0 to 1; 0 to 100 in percent), or nothing.
        aliases: other names of it, in papers and in configuration files.
    """

    unit: str
    kinds: tuple[str, ...] = ()
    bounds: str = ""
    aliases: tuple[str, ...] = ()


def _size(*aliases: str, kinds: tuple[str, ...] = ()) -> Standard:
    return Standard("1", kinds, COUNT, aliases)


_EPOCHS = ("epochs", "1", "times")
STANDARD: dict[str, Standard] = {
    # data
    "training_examples": Standard("examples", (), RATE, ("num_train_examples", "train_size", "dataset_size")),
    "training_tokens": Standard("tokens", (), RATE),
    "sequence_length": Standard("tokens/example", (), RATE, ("seq_len", "seq_length", "max_seq_length", "block_size")),
    # architecture
    "layers": _size("num_layers", "num_hidden_layers", "n_layer", "n_layers", "depth", kinds=("layers", "blocks", "1")),
    "width": _size("d_model", "hidden_size", "n_embd", "embed_dim", "hidden_dim", kinds=("features", "channels", "1")),
    "feed_forward": _size("d_ff", "intermediate_size", "n_inner", "dim_feedforward", "ffn_dim", "mlp_dim"),
    "heads": _size("num_heads", "num_attention_heads", "n_head", "n_heads", "nhead", kinds=("heads", "1")),
    "head_width": _size("d_k", "head_dim", "head_size"),
    "vocabulary": _size("vocab_size", "n_vocab", kinds=("entries", "1")),
    "context": Standard("tokens", (), COUNT, ("n_positions", "n_ctx", "max_position_embeddings", "context_length")),
    "patch": _size("patch_size", kinds=("pixels", "1")),
    "image": _size("image_size", "img_size", "input_size", "resolution", kinds=("pixels", "1")),
    "classes": _size("num_classes", "n_classes", "num_labels", kinds=("classes", "1")),
    "activation": Standard("1", (), "", ("hidden_act", "activation_function", "act_layer", "nonlinearity")),
    "norm_placement": Standard("1", (), "", ("norm_position",)),
    "initialization": Standard("1", (), "", ("init",)),
    "initializer_std": Standard("1", (), RATE, ("initializer_range", "init_std")),
    "norm_epsilon": Standard("1", (), RATE, ("layer_norm_eps", "layer_norm_epsilon", "norm_eps", "rms_norm_eps")),
    # optimizer
    "optimizer": Standard("1", (), "", ("optim", "opt", "optimizer_name")),
    "learning_rate": Standard("1", (), RATE, ("lr", "base_lr", "peak_lr", "max_lr", "peak_learning_rate")),
    "beta1": Standard("1", (), SHARE, ("adam_beta1", "b1")),
    "beta2": Standard("1", (), SHARE, ("adam_beta2", "b2")),
    "epsilon": Standard("1", (), RATE, ("adam_epsilon", "adam_eps", "eps")),
    "momentum": Standard("1", (), SHARE),
    "weight_decay": Standard("1", (), "", ("wd", "l2", "weight_decay_rate")),
    "gradient_clipping": Standard(
        "1", (), "", ("clip_grad", "max_grad_norm", "grad_clip", "grad_clip_norm", "gradient_clip_val")
    ),
    # schedule
    "schedule": Standard("1", (), "", ("lr_schedule", "lr_scheduler", "lr_scheduler_type", "decay_type")),
    "batch_size": Standard(
        "examples/step", (), COUNT, ("train_batch_size", "global_batch_size", "total_batch_size", "bs")
    ),
    "device_batch_size": Standard(
        "examples/step/device", (), COUNT, ("per_device_train_batch_size", "batch_size_per_gpu", "micro_batch_size")
    ),
    "gradient_accumulation": Standard(
        "1", (), COUNT, ("gradient_accumulation_steps", "accumulate_grad_batches", "grad_accum")
    ),
    "tokens_per_batch": Standard("tokens/step", (), RATE, ("batch_tokens",)),
    "steps": Standard(
        "steps", (), COUNT, ("max_steps", "total_steps", "num_steps", "train_steps", "training_steps", "max_iters")
    ),
    "epochs": Standard("epochs", _EPOCHS, RATE, ("num_epochs", "num_train_epochs", "max_epochs", "n_epochs")),
    "warmup_steps": Standard("steps", (), "", ("warmup", "num_warmup_steps", "warmup_iters", "warmup_iterations")),
    "warmup_epochs": Standard("epochs", _EPOCHS),
    "decay_end_step": Standard("steps", (), COUNT, ("decay_steps", "lr_decay_iters", "lr_decay_steps")),
    "final_learning_rate": Standard("1", (), "", ("min_lr", "lr_min", "end_lr", "eta_min", "end_value")),
    "stop_learning_rate": Standard("1", (), RATE),
    "total_examples": Standard("examples", (), RATE),
    "total_tokens": Standard("tokens", (), RATE),
    # regularization
    "dropout": Standard(
        "1",
        ("probability", "fraction", "percent", "1"),
        SHARE,
        ("dropout_rate", "hidden_dropout_prob", "resid_pdrop", "p_drop", "drop_rate"),
    ),
    "attention_dropout": Standard(
        "1",
        ("probability", "fraction", "percent", "1"),
        SHARE,
        ("attention_probs_dropout_prob", "attn_pdrop", "attn_drop"),
    ),
    "drop_path": Standard(
        "1", ("probability", "fraction", "percent", "1"), SHARE, ("drop_path_rate", "stochastic_depth")
    ),
    "label_smoothing": Standard(
        "1", ("probability", "fraction", "percent", "1"), SHARE, ("smoothing", "label_smoothing_factor")
    ),
    "weight_averaging": Standard("1", (), SHARE, ("ema", "ema_decay", "model_ema_decay")),
    # hardware
    "devices": Standard("devices", (), COUNT, ("num_gpus", "n_gpus", "num_devices", "world_size")),
    "precision": Standard("1", (), "", ("dtype", "mixed_precision", "torch_dtype", "compute_dtype")),
    "time_per_step": Standard("s/step", (), RATE, ("seconds_per_step", "step_time")),
    "steps_per_second": Standard("steps/s", (), RATE),
    "training_time": Standard("h", (), RATE, ("duration", "wall_time")),
    "device_time": Standard("device-hours", (), RATE),
    "device_flops": Standard("FLOP/s/device", (), RATE, ("peak_flops",)),
    "latency": Standard("s", (), RATE),
    "latency_batch_size": Standard("examples", (), COUNT),
    # computed or reported
    "parameters": Standard("1", ("parameters", "1"), COUNT, ("n_params", "num_parameters")),
    "forward_flops": Standard("FLOP/example", (), RATE),
    "training_flops": Standard("FLOP", (), RATE),
}
CANONICAL = {alias: name for name, one in STANDARD.items() for alias in (name, *one.aliases)}


@dataclasses.dataclass(frozen=True)
class Expected:
    """Something that a paper must say to be reproduced.

    Args:
        name: as in the report.
        section: where it belongs.
        any_of: names of entries, one of which must be there.
        why: what depends on it.
        source: who showed that.
        only_with: words of the optimizer or the loss, one of which must be there; any where this is empty.
    """

    name: str
    section: str
    any_of: tuple[str, ...]
    why: str
    source: str
    only_with: tuple[str, ...] = ()


_ADAM = ("adam", "lamb", "lion")
# The order to ask in: what decides which number is measured, then what decides how far training gets, then which model
# and regularization it is, then details. A judgement, not a measured size: the source shows that the effect exists.
EXPECTED = (
    Expected(
        "training data",
        "data",
        ("training_data", "dataset"),
        "another data set or split is another experiment",
        "Torralba & Efros 2011",
    ),
    Expected(
        "metric",
        "evaluation",
        ("metric",),
        "two definitions of one metric give two numbers",
        "Post 2018 (BLEU), Parmar et al. 2022 (FID)",
    ),
    Expected(
        "evaluation data and protocol",
        "evaluation",
        ("evaluation_data", "protocol"),
        "split, crops, resolution or tokenisation change the score without any training",
        "Post 2018; Touvron et al. 2019 (resolution)",
    ),
    Expected(
        "loss", "task", ("loss", "objective"), "it is what training optimizes", "Goodfellow et al. 2016, section 5.9"
    ),
    Expected(
        "learning rate",
        "optimizer",
        ("learning_rate",),
        "the one to tune if only one can be tuned",
        "Goodfellow et al. 2016, section 11.4.1",
    ),
    Expected(
        "length of training",
        "schedule",
        ("steps", "epochs", "total_tokens", "total_examples"),
        "the same recipe trained longer scores higher",
        "Wightman et al. 2021",
    ),
    Expected(
        "batch size",
        "schedule",
        ("batch_size", "tokens_per_batch"),
        "learning rate and length are tied to it",
        "Goyal et al. 2017; Shallue et al. 2019",
    ),
    Expected(
        "learning-rate schedule",
        "schedule",
        ("schedule",),
        "its shape and end decide the last part of training",
        "Loshchilov & Hutter 2017; Hoffmann et al. 2022",
    ),
    Expected(
        "optimizer",
        "optimizer",
        ("optimizer",),
        "learning rates of two optimizers are not comparable",
        "Choi et al. 2019",
    ),
    Expected(
        "preprocessing and augmentation",
        "data",
        ("augmentation", "preprocessing", "tokenization"),
        "it changes the effective amount of data",
        "Steiner et al. 2022",
    ),
    Expected(
        "placement of norms",
        "architecture",
        ("norm_placement",),
        "it decides whether training needs a warmup",
        "Xiong et al. 2020",
    ),
    Expected(
        "warmup",
        "schedule",
        ("warmup_steps", "warmup_epochs"),
        "large batches and post-norm fail without it",
        "Goyal et al. 2017; Xiong et al. 2020",
    ),
    Expected(
        "weight decay",
        "optimizer",
        ("weight_decay",),
        "and whether it is coupled to the gradient",
        "Loshchilov & Hutter 2019",
    ),
    Expected(
        "weight averaging",
        "regularization",
        ("weight_averaging", "averaged_checkpoints"),
        "averaged weights score differently from the last ones",
        "Izmailov et al. 2018",
    ),
    Expected(
        "initialization",
        "architecture",
        ("initialization", "initializer_std"),
        "depth can make a bad one untrainable",
        "Glorot & Bengio 2010; He et al. 2015",
    ),
    Expected("dropout", "regularization", ("dropout", "drop_path"), "rate and place", "Srivastava et al. 2014"),
    Expected(
        "gradient clipping",
        "optimizer",
        ("gradient_clipping",),
        "it bounds the step after a bad batch",
        "Pascanu et al. 2013",
    ),
    Expected(
        "label smoothing",
        "regularization",
        ("label_smoothing",),
        "it changes the loss and its floor",
        "Szegedy et al. 2016",
        ("cross", "softmax", "likelihood"),
    ),
    Expected(
        "momentum",
        "optimizer",
        ("momentum",),
        "it multiplies the step",
        "Sutskever et al. 2013",
        ("sgd", "momentum", "rmsprop"),
    ),
    Expected(
        "beta1, beta2",
        "optimizer",
        ("beta2", "betas"),
        "defaults differ between papers and libraries",
        "Choi et al. 2019",
        _ADAM,
    ),
    Expected(
        "epsilon", "optimizer", ("epsilon",), "defaults differ between papers and libraries", "Choi et al. 2019", _ADAM
    ),
    Expected("activation", "architecture", ("activation",), "and which approximation of it", "Hendrycks & Gimpel 2016"),
    Expected(
        "precision",
        "hardware",
        ("precision",),
        "half precision needs loss scaling, and changes speed",
        "Micikevicius et al. 2018",
    ),
    Expected(
        "number of runs",
        "evaluation",
        ("runs", "seeds"),
        "without it no gap can be told from chance",
        "Bouthillier et al. 2021",
    ),
    Expected(
        "accelerator and devices",
        "hardware",
        ("accelerator", "devices"),
        "time and cost cannot be judged without",
        "Strubell et al. 2019",
    ),
)
