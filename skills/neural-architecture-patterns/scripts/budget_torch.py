"""What a PyTorch model costs, from one pass over its batch in which only shapes are computed.

The pass runs on copies whose tensors have a shape and a type but no values, so a model of any size takes no memory.
Three things that such counts usually get wrong are put right here:

- On the CPU, scaled_dot_product_attention and LSTM run as one operator each, which `torch.utils.flop_counter` gives 0.
- The same counter multiplies the weight gradient of a grouped convolution by the number of groups.
- An operator that it does not know counts as 0 without a word; here it is named.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any

import torch
from budget_pass import Pass, at, said
from dltools.report import CannotDecide, UnusableInput
from dltools.torch_target import TorchTarget
from torch._subclasses.fake_tensor import DynamicOutputShapeException, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.flop_counter import (
    FlopCounterMode,
    conv_flop_count,
    flop_registry,
    sdpa_backward_flop_count,
    sdpa_flop_count,
)

aten = torch.ops.aten
PLAIN = (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer)


def _matrix_vector(matrix: Any, *_: Any, **__: Any) -> int:
    return 2 * prod(matrix)


def _dot(a: Any, *_: Any, **__: Any) -> int:
    return 2 * prod(a)


def _grouped(a: Any, b: Any, *_: Any, **__: Any) -> int:
    # mixture of experts: each row of `a` meets the matrix of one expert; b is (experts, k, n), or (rows, n) for the
    # gradient of the weights
    return 2 * prod(a) * b[-1]


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return sdpa_flop_count(query, key, value)


def _attention_backward(gradient: Any, query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return sdpa_backward_flop_count(gradient, query, key, value)


def _convolution_backward(gradient: Any, x: Any, weight: Any, *arguments: Any, out_shape: Any = None, **__: Any) -> int:
    transposed, mask = arguments[4], arguments[7]
    # each of the two gradients takes as many products as the forward pass, with groups too
    forward = conv_flop_count(x, weight, gradient, transposed=transposed)
    return forward * (bool(mask[0]) + bool(mask[1]))


FORMULAS: dict[Any, Callable[..., int]] = {
    aten.mv: _matrix_vector,
    aten.addmv: lambda _, matrix, *rest, **named: _matrix_vector(matrix),
    aten.dot: _dot,
    aten.vdot: _dot,
    aten._grouped_mm: _grouped,
    aten._int_mm: lambda a, b, *rest, **named: 2 * a[0] * a[1] * b[1],
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
    aten._scaled_dot_product_fused_attention_overrideable: _attention,
    aten._scaled_dot_product_fused_attention_overrideable_backward: _attention_backward,
    aten.convolution_backward: _convolution_backward,
}
COUNTED = {*flop_registry, *FORMULAS}

# operators that do a few operations for each element, and so are not counted by convention: everything that PyTorch
# marks as pointwise, views, and these (also as their backward)
FEW_OPERATIONS = frozenset(
    """
    _adaptive_avg_pool2d _adaptive_avg_pool3d _aminmax _assert_async _assert_scalar _assert_tensor_metadata
    _batch_norm_with_update _ctc_loss _cudnn_rnn_flatten_weight _cummax_helper _cummin_helper _efficientzerotensor
    _embedding_bag _embedding_bag_forward_only _fake_quantize_learnable_per_channel_affine
    _fake_quantize_learnable_per_tensor_affine _fake_quantize_per_tensor_affine_cachemask_tensor_qparams
    _foreach_norm _functional_assert_async _functional_assert_scalar _fused_dropout _fused_moving_avg_obs_fq_helper
    _index_put_impl _is_all_true _is_any_true _jagged_to_padded_dense_forward _linalg_check_errors
    _local_scalar_dense _log_softmax _masked_softmax _native_batch_norm_legit _native_batch_norm_legit_functional
    _native_batch_norm_legit_no_training _pack_padded_sequence _padded_dense_to_jagged_forward _pdist_forward
    _prelu_kernel _reshape _safe_softmax _softmax _stack _thnn_fused_gru_cell _thnn_fused_lstm_cell _to _unique
    _unique2 _unsafe_index _unsafe_index_put _unsafe_masked_index _unsafe_masked_index_put_accumulate _unsafe_view
    _upsample_bicubic2d_aa _upsample_bilinear2d_aa _upsample_nearest_exact1d _upsample_nearest_exact2d
    _upsample_nearest_exact3d _weight_norm_interface adaptive_avg_pool3d adaptive_max_pool2d adaptive_max_pool3d
    addr all allclose amax amin aminmax any arange argmax argmin as_strided_scatter avg_pool1d
    avg_pool2d avg_pool3d batch_norm_backward_elemt batch_norm_elemt batch_norm_stats bernoulli binary_cross_entropy
    binary_cross_entropy_with_logits bincount binomial block_diag bucketize cat cauchy channel_shuffle clone col2im
    complex constant_pad_nd copy count_nonzero cudnn_batch_norm cummax cummin cumprod cumsum diag_embed
    diagonal_scatter dist embedding embedding_dense empty empty_like empty_permuted empty_strided exponential eye
    fake_quantize_per_channel_affine_cachemask fake_quantize_per_tensor_affine_cachemask fill flip floor_divide
    fractional_max_pool2d full full_like gather geometric glu grid_sampler_2d grid_sampler_3d hamming_window
    hann_window hardswish histc huber_loss im2col index index_add index_copy index_fill index_put index_reduce
    index_select isin kthvalue lift linalg_vector_norm linspace log_normal log_sigmoid_forward log_softmax
    logcumsumexp logspace logsumexp masked_fill masked_scatter masked_select max max_pool2d_with_indices
    max_pool3d_with_indices max_unpool2d max_unpool3d mean median min miopen_batch_norm mode mse_loss
    multi_margin_loss multilabel_margin_loss_forward multinomial nanmedian nansum native_batch_norm native_dropout
    native_group_norm native_layer_norm new_empty new_empty_strided new_full new_ones new_zeros nll_loss2d_forward
    nll_loss_forward nonzero nonzero_static norm normal ones ones_like pixel_shuffle pixel_unshuffle poisson polar
    prod put rand rand_like randint randint_like randn randn_like random randperm range reflection_pad1d
    reflection_pad2d reflection_pad3d renorm repeat repeat_interleave replication_pad1d replication_pad2d
    replication_pad3d resize roll rot90 rrelu_with_noise rsub scalar_tensor scatter scatter_add scatter_reduce
    searchsorted segment_reduce select_scatter set slice_scatter smooth_l1_loss soft_margin_loss softmax sort stack
    std std_mean sum take topk trace tril tril_indices triu triu_indices uniform unique_consecutive unique_dim
    unsafe_split unsafe_split_with_sizes upsample_bicubic2d upsample_bilinear2d upsample_linear1d upsample_nearest1d
    upsample_nearest2d upsample_nearest3d upsample_trilinear3d var var_mean where zero zeros zeros_like
    """.split()
)


def _cheap(operator: Any) -> bool:
    if operator.namespace == "prim":
        return True
    if operator.namespace != "aten":
        return False
    if torch.Tag.pointwise in operator.tags or operator.is_view:
        return True
    name = operator._overloadpacket.__name__
    for ending in ("_backward_data", "_backward", "_copy", "_"):
        # the backward, copying or in-place form of such an operator
        if name.endswith(ending) and len(name) > len(ending):
            name = name.removesuffix(ending)
            break
    base = getattr(aten, name, None)
    return bool({name, f"{name}_forward"} & FEW_OPERATIONS) or (
        base is not None and any(_cheap_itself(getattr(base, overload)) for overload in base.overloads())
    )


def _cheap_itself(operator: Any) -> bool:
    return torch.Tag.pointwise in operator.tags or operator.is_view


class _Watch(TorchDispatchMode):
    """Sees each operator after the counter has decomposed it."""

    def __init__(self, counter: FlopCounterMode, parameters: Mapping[int, torch.Tensor]) -> None:
        super().__init__()
        self.counter, self.parameters = counter, parameters
        self.not_counted: Counter[tuple[str, str]] = Counter()
        self.read: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "_overloadpacket", func) in COUNTED:
            for value in tree_leaves(args):
                if isinstance(value, torch.Tensor) and _storage(value) in self.parameters:
                    storage = _storage(value)
                    # of experts at least one is read
                    shares = value.shape[0] if func is aten._grouped_mm.default and value.dim() == 3 else 1
                    size = _bytes(self.parameters[storage]) // shares
                    self.read[storage] = max(size, self.read.get(storage, 0))
        elif not isinstance(func, torch._ops.OpOverload) or not _cheap(func):
            where = max(self.counter.mod_tracker.parents, key=len, default="")
            self.not_counted[str(func), where] += 1
        return func(*args, **(kwargs or {}))


class _FusedAttention(torch.overrides.TorchFunctionMode):
    """Attention as fused kernels do it: with dropout they keep a seed, where the CPU falls back to whole matrices."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.nn.functional.scaled_dot_product_attention:
            if len(args) > 4:
                args = (*args[:4], 0.0, *args[5:])
            kwargs.pop("dropout_p", None)
        return func(*args, **kwargs)


def check_tensors(target: TorchTarget) -> None:
    """Whether the size of each tensor is what its type says.

    Raises:
        CannotDecide: a tensor of the model or the batch is sparse or of a class of its own, such as a quantised weight.
        UnusableInput: a layer is lazy and was never called.
    """
    tensors = [*target.model.named_parameters(), *target.model.named_buffers()]
    tensors += [("the batch", value) for value in tree_leaves(target.batch) if isinstance(value, torch.Tensor)]
    for name, tensor in tensors:
        if isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin):
            raise UnusableInput(f"{name} has no shape, since its layer is lazy; call the model once in the factory")
        if type(tensor) not in PLAIN or tensor.layout is not torch.strided:
            raise CannotDecide(f"{name} is a {type(tensor).__name__} ({tensor.layout}), which is not counted here")


def abstract(target: TorchTarget, precision: torch.dtype | None = None) -> tuple[TorchTarget, Any]:
    """A copy of the target whose tensors have shapes and no values.

    Args:
        target: left as it is.
        precision: a type that all floating-point parameters, buffers and inputs get.

    Returns:
        The copy, and the mode in which it must be run.

    Raises:
        CannotDecide: the model cannot be copied.
    """
    check_tensors(target)
    mode = FakeTensorMode(allow_non_fake_inputs=True)

    def without_values(tensor: Any) -> Any:
        if not isinstance(tensor, torch.Tensor):
            return tensor
        dtype = precision if precision and tensor.is_floating_point() else tensor.dtype
        # always as on the CPU, where attention is one operator that keeps no scores
        made = torch.empty_strided(tensor.size(), tensor.stride(), dtype=dtype, device="cpu")
        if isinstance(tensor, torch.nn.Parameter):
            return torch.nn.Parameter(made, requires_grad=tensor.requires_grad)
        return made.requires_grad_(tensor.requires_grad) if tensor.is_leaf else made

    with mode:
        # deepcopy takes from `made` what it would copy, so shared tensors stay shared
        made: dict[int, Any] = {}
        for module in target.model.modules():
            for value in tree_leaves({name: held for name, held in vars(module).items() if name != "_modules"}):
                if isinstance(value, torch.Tensor) and id(value) not in made:
                    made[id(value)] = without_values(value)
        try:
            model = copy.deepcopy(target.model, made)
        except Exception as error:
            raise CannotDecide(f"the model cannot be copied ({said(error)}); run it itself with --real") from None
        batch = tree_map(without_values, target.batch)
    return dataclasses.replace(target, model=model, batch=batch, optimizer=None), mode


def measure(target: TorchTarget, mode: Any, *, train: bool, fused: bool = True) -> Pass:
    """Runs the model once and counts.

    Args:
        target: the model and batch that are run; real, or from `abstract`.
        mode: from `abstract`, or `contextlib.nullcontext()`.
        train: in training mode, with the loss and the backward pass; else in evaluation mode, forward only.
        fused: attention as a fused kernel, which does not keep the scores; else as separate products, which do.

    Raises:
        UnusableInput: the model or the loss raises.
        CannotDecide: they need values where only shapes are there.
    """
    saved: dict[int, torch.Tensor] = {}
    real = not isinstance(mode, FakeTensorMode)

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        # kept alive, so that no other storage gets the same number
        saved.setdefault(_storage(tensor), tensor)
        return tensor

    own = {_storage(value): value for value in [*target.model.parameters(), *target.model.buffers()]}
    weights = {_storage(value): value for value in target.model.parameters()}
    counter = FlopCounterMode(display=False, custom_mapping=FORMULAS)
    watch = _Watch(counter, weights)
    with contextlib.ExitStack() as stack:
        for context in (mode, target.preserved_mode(train), _plain_operators(), torch.set_grad_enabled(train)):
            stack.enter_context(context)
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.enter_context(torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor))
        if fused:
            stack.enter_context(_FusedAttention())
        else:
            stack.enter_context(torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH))
        stack.enter_context(watch)
        stack.enter_context(counter)
        with _explained("the model", real):
            outputs = target.forward(target.inputs)
        forward = {module: dict(found) for module, found in counter.flop_counts.items()}
        if train:
            with _explained("the loss", real):
                loss = target.loss_fn(outputs, target.targets)
                if tuple(getattr(loss, "shape", (0,))) not in ((), (1,)):
                    raise UnusableInput("loss_fn does not return one number; reduce it, such as with .mean()")
            held = sum(_bytes(tensor) for storage, tensor in saved.items() if storage not in own)
            with _explained("the backward pass", real):
                # not autograd.grad: the counter cannot follow it where a module is called on a parameter
                loss.reshape(()).backward()

    def path(module: str) -> str:
        # the tracker's names begin with the class of the model
        return "" if module == "Global" else module.partition(".")[2]

    return Pass(
        flops={op.__name__: flops for op, flops in forward.get("Global", {}).items()},
        by_module={path(module): sum(found.values()) for module, found in forward.items() if module != "Global"},
        training_flops=counter.get_total_flops() if train else None,
        not_counted={(name, path(where)): calls for (name, where), calls in watch.not_counted.items()},
        read=sum(watch.read.values()),
        saved=held if train else None,
        cache=_cache(outputs),
    )


@contextlib.contextmanager
def _plain_operators() -> Iterator[None]:
    """Recurrent and transformer layers as the products they consist of, not as one operator that nobody can count."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    before = torch.backends.mkldnn.set_flags(_enabled=False)
    try:
        yield
    finally:
        torch.backends.mkldnn.set_flags(*before)
        torch.backends.mha.set_fastpath_enabled(fast)


@contextlib.contextmanager
def _explained(what: str, real: bool) -> Iterator[None]:
    # it logs tracebacks of what is explained below
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    except (UnusableInput, CannotDecide):
        raise
    except torch._subclasses.fake_tensor.DataDependentOutputException as error:
        raise CannotDecide(f"{at(error)}{what} looks at values ({error.func}); {_REAL}") from None
    except DynamicOutputShapeException as error:
        raise CannotDecide(f"{at(error)}{what} makes a shape that depends on values ({error.func}); {_REAL}") from None
    except Exception as error:
        hint = "" if real else "; if it runs elsewhere, it needs values: --real"
        raise UnusableInput(f"{at(error)}{what} raised {said(error).rstrip('.')}{hint}") from error
    finally:
        logger.setLevel(level)


_REAL = "shapes alone do not say what it does. Run it with --real"


def _storage(tensor: torch.Tensor) -> int:
    try:
        return tensor.untyped_storage()._cdata
    except NotImplementedError:
        # a sparse tensor has none
        return id(tensor)


def _bytes(tensor: torch.Tensor) -> int:
    try:
        return tensor.untyped_storage().nbytes()
    except NotImplementedError:
        return tensor.numel() * tensor.element_size()


def _cache(outputs: Any) -> int | None:
    """Bytes of the cache that a Hugging Face model returns."""
    given = getattr(outputs, "past_key_values", None)
    if given is None:
        return None
    layers = getattr(given, "layers", given)
    tensors = [
        value
        for layer in layers
        for value in ((layer.keys, layer.values) if hasattr(layer, "keys") else tree_leaves(layer))
        if isinstance(value, torch.Tensor)
    ]
    return sum(value.numel() * value.element_size() for value in tensors)
