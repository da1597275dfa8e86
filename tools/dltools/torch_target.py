"""A PyTorch model behind the target contract."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import torch

from dltools import state
from dltools.report import UnusableInput
from dltools.target import Target


@dataclasses.dataclass
class TorchTarget(Target):
    """A `torch.nn.Module` with its batch and loss."""

    model: torch.nn.Module = None  # type: ignore[assignment]

    framework = "torch"
    flavour = "torch"

    @classmethod
    def build(cls, model: torch.nn.Module, common: Mapping[str, Any], device: str | None) -> TorchTarget:
        """Checks what only PyTorch can check, and moves model and batch to the device (None: leaves them where they are).

        Raises:
            UnusableInput: the device is not there, the optimizer is no optimizer or is over other parameters.
        """
        optimizer = common["optimizer"]
        if optimizer is not None and not isinstance(optimizer, torch.optim.Optimizer):
            raise UnusableInput(f"`optimizer` is a {type(optimizer).__name__}; for PyTorch it must be a torch.optim.Optimizer")
        batch = common["batch"]
        try:
            if device is not None:
                # a module's parameters keep their identity under .to(), so the optimizer still holds them
                model.to(device)
                batch = tuple(moved(part, device) for part in batch)
        except (RuntimeError, AssertionError) as error:
            raise UnusableInput(f"--device {device}: {str(error).splitlines()[0]}") from None
        if optimizer is not None:
            own = {id(parameter) for parameter in model.parameters()}
            if not any(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"]):
                raise UnusableInput("`optimizer` holds none of the model's parameters; build it from model.parameters()")
        return cls(**{**common, "batch": batch}, model=model)

    def parameters(self) -> dict[str, torch.Tensor]:
        return {
            name: parameter
            for name, parameter in self.model.named_parameters()
            if parameter.requires_grad and parameter.is_floating_point()
        }

    def forward(self, inputs: Any) -> Any:
        """Calls the model in the mode that it is in, with gradients."""
        if isinstance(inputs, dict):
            return self.model(**inputs)
        return self.model(*inputs) if isinstance(inputs, (tuple, list)) else self.model(inputs)

    def outputs(self, inputs: Any = None, *, train: bool = False, seed: int = 0) -> Any:
        with self.preserved_mode(train), torch.no_grad(), torch.random.fork_rng(devices=self._cuda()):
            torch.manual_seed(seed)
            return self.forward(self.inputs if inputs is None else inputs)

    def loss_and_gradients(
        self, batch: tuple[Any, Any] | None = None, *, train: bool = True, seed: int = 0
    ) -> tuple[float, dict[str, torch.Tensor | None]]:
        inputs, targets = batch or self.batch
        parameters = self.parameters()
        if not parameters:
            raise UnusableInput("the model has no trainable floating-point parameter")
        with self.preserved_mode(train), torch.enable_grad(), torch.random.fork_rng(devices=self._cuda()):
            torch.manual_seed(seed)
            loss = self.loss_fn(self.forward(inputs), targets)
            value = self.scalar(loss)
            if not loss.requires_grad:
                return value, dict.fromkeys(parameters)
            # autograd.grad, not backward(): .grad of the parameters stays as the user left it
            gradients = torch.autograd.grad(loss.reshape(()), list(parameters.values()), allow_unused=True)
        return value, dict(zip(parameters, gradients, strict=True))

    def preserved_mode(self, train: bool) -> _Mode:
        """Training or evaluation mode for a while; afterwards each module is in the mode it had."""
        return _Mode(self.model, train)

    def fingerprint(self) -> str:
        return state.fingerprint(
            {
                "tensors": self._tensors(),
                "gradients": {name: p.grad for name, p in self.model.named_parameters()},
                "requires_grad": {name: p.requires_grad for name, p in self.model.named_parameters()},
                "modes": {name: module.training for name, module in self.model.named_modules()},
                "hooks": {name: _hooks(module) for name, module in self.model.named_modules()},
                "optimizer": self.optimizer.state_dict() if self.optimizer else None,
                "batch": self.batch,
                "generators": (state.generators(), torch.get_rng_state()),
            }
        )

    def _tensors(self) -> dict[str, torch.Tensor]:
        # with the buffers that state_dict() leaves out
        return {**dict(self.model.named_parameters()), **dict(self.model.named_buffers())}

    def _restorer(self) -> Callable[[], None]:
        tensors = {name: tensor.detach().clone() for name, tensor in self._tensors().items()}
        gradients = {name: None if p.grad is None else p.grad.clone() for name, p in self.model.named_parameters()}
        requires = {name: p.requires_grad for name, p in self.model.named_parameters()}
        modes = {name: module.training for name, module in self.model.named_modules()}
        optimizer = copy.deepcopy(self.optimizer.state_dict()) if self.optimizer else None
        batch = copy.deepcopy(self.batch)
        restore_generators = state.generators_restorer()
        torch_generator = torch.get_rng_state()

        def restore() -> None:
            with torch.no_grad():
                for name, tensor in self._tensors().items():
                    tensor.copy_(tensors[name])
            for name, parameter in self.model.named_parameters():
                parameter.grad = gradients[name]
                parameter.requires_grad_(requires[name])
            for name, module in self.model.named_modules():
                module.training = modes[name]
            if self.optimizer:
                self.optimizer.load_state_dict(optimizer)
            self.batch = batch
            restore_generators()
            torch.set_rng_state(torch_generator)

        return restore

    def _cuda(self) -> list[int]:
        return list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []


class _Mode:
    def __init__(self, model: torch.nn.Module, train: bool) -> None:
        self.model, self.train = model, train

    def __enter__(self) -> None:
        self.before = [(module, module.training) for module in self.model.modules()]
        self.model.train(self.train)

    def __exit__(self, *_: Any) -> None:
        for module, training in self.before:
            module.training = training


def _hooks(module: torch.nn.Module) -> int:
    return sum(
        len(hooks)
        for hooks in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    )


def moved(value: Any, device: str) -> Any:
    """Nested tensors on a device; whatever else there is stays as it is."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, Mapping):
        return {key: moved(item, device) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(moved(item, device) for item in value)
    return value
