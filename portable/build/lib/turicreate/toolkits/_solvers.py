"""Turi Create's solvers of logistic regression, step by step.

With its default of ten steps Turi Create stops before the minimum of the loss is reached, so
that the model depends on the steps, not on the loss alone: other solvers, as scikit-learn's,
give other models. The methods are those of J. Nocedal and S. J. Wright, Numerical Optimization
(Springer, 1999): L-BFGS (algorithm 7.4) and Newton's.
"""

import time
from dataclasses import dataclass, field

import numpy as np

from ._line_search import cubic_minimum, line_search

OPTIMAL = "SUCCESS: Optimal solution found."
STEPS_USED_UP = "Completed (Iteration limit reached)."
NUMERIC_ERROR = "TERMINATED: Terminated due to numerical difficulties."
OVERFLOW = "TERMINATED: Terminated due to numerical overflow error. "
SEARCH_FAILED = "TERMINATED: Terminated due to numerical difficulties in line search."
_ZERO = 1e-10
_ALIGNED = 0.9  # gradients so alike that the last step was too short


@dataclass(frozen=True)
class Progress:
    """One step: its number, passes over the data and, with L-BFGS, step size; when and where."""

    numbers: tuple
    seconds: float
    point: np.ndarray


@dataclass
class Solution:
    """Where a solver stopped.

    Attributes
    ----------
    point : ndarray, shape (size,)
    status : str
        Turi Create's words for why it stopped.
    steps : int
    likelihood : float
        Negative log-likelihood at the last point where it was needed.
    hessian : ndarray, shape (size, size), or None
    columns : tuple of str
        What a step's numbers are beside its number and the passes.
    progress : list of Progress
    """

    point: np.ndarray
    status: str = ""
    steps: int = 0
    likelihood: float = np.nan
    hessian: np.ndarray = None
    columns: tuple = ()
    progress: list = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    def note(self, *numbers):
        """Add a row to the progress."""
        seconds = time.perf_counter() - self.started
        self.progress.append(Progress(numbers, seconds, self.point))


def newton(loss, threshold, most_steps):
    """Return the `Solution` of Newton's method from the point 0."""
    solution = Solution(np.zeros(loss.size))
    gradient = _newton_look(loss, solution)
    residual = np.abs(gradient).max()
    while not solution.status and residual >= threshold and solution.steps < most_steps:
        diagonal = np.diag_indices(loss.size)
        solution.hessian[diagonal] += loss.penalty_hessian()
        change = -_solve(solution.hessian, gradient)
        off = np.linalg.norm(solution.hessian @ change + gradient)
        if off / max(np.linalg.norm(gradient), _ZERO) > threshold:
            solution.status = NUMERIC_ERROR
            break
        solution.point = solution.point + change
        if not np.isfinite(change).all():
            solution.status = OVERFLOW
            break
        gradient = _newton_look(loss, solution)
        residual = np.abs(gradient).max()
        solution.steps += 1
        if not np.isfinite(solution.likelihood):
            solution.status = NUMERIC_ERROR
            break
        solution.note(solution.steps, solution.steps + 1)
    if not solution.status:
        solution.status = OPTIMAL if solution.steps < most_steps else STEPS_USED_UP
    return solution


def _newton_look(loss, solution):
    """Note likelihood and second derivatives at the solution's point; return the gradient."""
    solution.likelihood, gradient = loss.likelihood(solution.point)
    solution.hessian = loss.hessian(solution.point)
    return gradient + loss.penalty(solution.point)[1]


def _solve(matrix, vector):
    try:
        return np.linalg.solve(matrix, vector)
    except np.linalg.LinAlgError:
        return np.linalg.lstsq(matrix, vector, rcond=None)[0]


def lbfgs(loss, threshold, most_steps, memory):
    """Return the `Solution` of L-BFGS from the point 0.

    Parameters
    ----------
    loss : LogisticLoss
    threshold : float
        The largest component of the gradient at which to stop, relative to the first one's.
    most_steps : int
    memory : int
        Number of earlier steps from which the curvature is estimated.
    """
    solver = _Lbfgs(loss, threshold, memory)
    solution = solver.solution
    for number in range(most_steps):
        solution.status = solver.step()
        solution.note(number, solver.passes, f"{solver.step_size:.6f}")
        if solution.status:
            return solution
    solution.status = STEPS_USED_UP
    return solution


class _Lbfgs:
    def __init__(self, loss, threshold, memory):
        self.loss, self.threshold, self.memory = loss, threshold, memory
        self.solution = Solution(np.zeros(loss.size), columns=("Step size",))
        self.pairs = []  # (change of the point, change of the gradient, 1 / their product)
        self.step_size, self.passes, self.scale = 1.0, 0, 1.0
        self.value, self.gradient = np.nan, np.zeros(loss.size)
        self.change = None

    def step(self):
        """Move the point once; return a status to stop with, or an empty text."""
        solution, before = self.solution, (self.value, self.gradient)
        status, search = self._look(before)
        if status:
            return status
        if solution.steps == 0:
            direction = -self.gradient
        else:
            direction = -self._direction(before[1])
            search = search or self._step_is_unfit(before)
        if solution.steps == 0 or search:
            if not self._search(direction):
                return SEARCH_FAILED
        elif self.step_size < 1:
            self.step_size = min(1.0, 1.25 * self.step_size)
        self.change = self.step_size * direction
        solution.point = solution.point + self.change
        if self.change @ self.change <= _ZERO**2:
            return NUMERIC_ERROR
        if not np.isfinite(self.change).all():
            return OVERFLOW
        solution.steps += 1
        return ""

    def _look(self, before):
        """Evaluate the point, moved back if it went too far.

        Returns
        -------
        str
            A status to stop with, or an empty text.
        bool
            Whether the step was so long that the next must be searched for.
        """
        tries, search = 0, False
        while True:
            self._evaluate()
            if not np.isfinite(self.solution.likelihood):
                return NUMERIC_ERROR, search
            moved, too_long = self._moved_back(before, tries)
            search = search or too_long
            if not moved:
                break
            tries += 1
        residual = np.abs(self.gradient).max()
        if not np.isfinite(residual):
            return OVERFLOW, search
        return OPTIMAL if residual < self.threshold else "", search

    def _evaluate(self):
        likelihood, gradient = self.loss.likelihood(self.solution.point)
        self.passes += 1
        self.solution.likelihood = likelihood
        if self.solution.steps == 0:
            self.scale = 1 / (1 + np.abs(gradient).max() + abs(likelihood))
            self.threshold *= self.scale
        penalty, slope = self.loss.penalty(self.solution.point)
        self.value = self.scale * (likelihood + penalty)
        self.gradient = self.scale * (slope + gradient)

    def _moved_back(self, before, tries):
        """Move the point back to where the loss is lowest on its way; return if that was far.

        Returns
        -------
        bool
            Whether the point moved.
        bool
            Whether the next step must be searched for.
        """
        if self.solution.steps < 2:
            return False, False
        value, gradient = before
        improved = value > self.value
        if not (tries == 0 or improved and tries < 3):
            return False, False
        length = np.linalg.norm(self.change)
        slope = self.gradient @ self.change / length
        if not slope > 0:
            return False, False
        slopes = gradient @ self.change / length, slope
        part = cubic_minimum(length, (value, self.value), slopes) / length
        moves = part < 0.8 or improved
        if moves:
            self.step_size *= part
            self.solution.point = self.solution.point - (1 - part) * self.change
            self.change = part * self.change
        return moves, part < 0.1 or tries == 2

    def _direction(self, gradient_before):
        """Return the gradient times the estimated inverse of the second derivatives."""
        difference = self.gradient - gradient_before
        self.pairs.append((self.change, difference, 1 / (self.change @ difference)))
        del self.pairs[: -self.memory]
        q, alphas = self.gradient.copy(), []
        for change, difference, rho in reversed(self.pairs):
            alphas.append(rho * (change @ q))
            q -= alphas[-1] * difference
        _, difference, rho = self.pairs[-1]
        q *= 1 / (difference @ difference * rho)
        for (change, difference, rho), alpha in zip(self.pairs, reversed(alphas)):
            q += change * (alpha - rho * (difference @ q))
        return q

    def _step_is_unfit(self, before):
        value, gradient = before
        product = (self.gradient @ gradient) ** 2
        lengths = (self.gradient @ self.gradient) * (gradient @ gradient)
        return self.solution.steps == 1 or self.value > value or product > _ALIGNED * lengths

    def _search(self, direction):
        """Choose the step size along a direction; return whether that succeeded."""

        def along(step):
            point = self.solution.point + step * direction
            likelihood, gradient = self.loss.likelihood(point)
            penalty, slope = self.loss.penalty(point)
            value = (likelihood + penalty) * self.scale
            return value, ((gradient + slope) * self.scale) @ direction

        found = line_search(along, self.step_size, self.value, self.gradient @ direction)
        self.passes += found.evaluations
        if found.succeeded or self.solution.steps == 0:
            self.step_size = found.step
        return found.succeeded
