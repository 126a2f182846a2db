"""The line search of Moré and Thuente, with Turi Create's constants.

J. J. Moré and D. J. Thuente, Line Search Algorithms with Guaranteed Sufficient Decrease, ACM
Transactions on Mathematical Software 20 (1994), 286-307. Turi Create's variant (in its source,
src/ml/optimization) differs in small things: where it starts and when it extrapolates. They are
kept, because the steps taken decide what a model is like that is trained in ten steps.
"""

from dataclasses import dataclass

import numpy as np

_SHORTEST = 1e-9
_LONGEST = 25.0
_DECREASE = 1e-4  # of the value, as a part of what the slope promises
_FLATTER = 0.7  # how much of the slope may be left
_SHRINKING = 0.66
_EXTRAPOLATION = 4
_EVALUATIONS = 20
_ZERO = 1e-10


@dataclass(frozen=True)
class Trial:
    """A step along the direction, with the function's value and slope there."""

    step: float
    value: float
    slope: float

    def tilted(self, slope):
        """Return the same for the function less a line through the origin."""
        return Trial(self.step, self.value - self.step * slope, self.slope - slope)


@dataclass(frozen=True)
class Found:
    """The step that a search ended with."""

    step: float
    succeeded: bool
    evaluations: int


def line_search(along, first_step, value, slope):
    """Return a step that satisfies the strong Wolfe conditions.

    Parameters
    ----------
    along : callable
        Gives the function's value and slope for a step.
    first_step : float
    value, slope : float
        Those at the start, which is step 0.
    """
    if first_step <= _SHORTEST:
        return Found(1.0, False, 0)
    return _Search(along, value, slope).run(first_step)


class _Search:
    def __init__(self, along, value, slope):
        self.along, self.start, self.slope = along, value, slope
        self.best = self.other = Trial(_SHORTEST, value, slope)
        self.decrease = _DECREASE * slope
        self.bracketed = False
        self.widths = 2 * (_SHORTEST - _LONGEST), _SHORTEST - _LONGEST
        self.evaluations = 0

    def run(self, step):
        interpolated, first_stage = True, True
        while True:
            low, high = self._bounds(step)
            step = min(max(step, _SHORTEST), _LONGEST)
            narrow = self.bracketed and high - low <= _SHORTEST
            if not interpolated or narrow:
                step = self.best.step
            if self.evaluations >= _EVALUATIONS:
                return Found(self.best.step, True, self.evaluations)
            trial = Trial(step, *self.along(step))
            self.evaluations += 1
            wanted = self.start + step * self.decrease
            succeeded = self._verdict(trial, wanted, low, high, interpolated)
            if succeeded is not None:
                return Found(step, succeeded, self.evaluations)
            flat = trial.slope >= _FLATTER * self.slope
            first_stage = first_stage and not (trial.value <= wanted and flat)
            tilted = first_stage and wanted < trial.value <= self.best.value
            after = self._interpolate(trial, low, high, self.decrease if tilted else 0.0)
            interpolated = after is not None
            step = self._narrowed(after if interpolated else step)

    def _bounds(self, step):
        if self.bracketed:
            ends = self.best.step, self.other.step
            return min(ends), max(ends)
        return self.best.step, step + _EXTRAPOLATION * (step - self.best.step)

    def _verdict(self, trial, wanted, low, high, interpolated):
        """Return whether the search ends well or badly with `trial`, or None to go on."""
        enough = trial.value <= wanted
        if not interpolated or self.bracketed and not low < trial.step < high:
            return False
        if trial.step >= _LONGEST and enough and trial.slope <= self.decrease:
            return True
        if trial.step <= _SHORTEST and (not enough or trial.slope >= self.decrease):
            return False
        if self.bracketed and high - low <= _SHORTEST:
            return False
        if enough and abs(trial.slope) <= -_FLATTER * self.slope:
            return True
        return None

    def _interpolate(self, trial, low, high, tilt):
        """Choose the next step and move the ends of the interval; None if it can't be done."""
        ends = [one.tilted(tilt) for one in (self.best, self.other, trial)]
        result = next_step(*ends, self.bracketed, low, high)
        if result is None:
            return None
        best, other, step, self.bracketed = result
        self.best, self.other = best.tilted(-tilt), other.tilted(-tilt)
        return step

    def _narrowed(self, step):
        """Return the middle of an interval that does not shrink fast enough, else `step`."""
        if not self.bracketed:
            return step
        width = abs(self.other.step - self.best.step)
        if width >= _SHRINKING * self.widths[0]:
            step = self.best.step + 0.5 * (self.other.step - self.best.step)
        self.widths = self.widths[1], width
        return step


def next_step(best, other, trial, bracketed, low, high):
    """Return the new best and other end, the step to try next and whether they are a bracket.

    `best` has the least value so far, `other` is the other end of the interval around the
    minimum, `trial` the step just tried. None if they contradict each other.
    """
    ends = best.step, other.step
    outside = bracketed and not min(ends) < trial.step < max(ends)
    if outside or best.slope * (trial.step - best.step) >= _SHORTEST or high < low:
        return None
    turned = trial.slope * np.sign(best.slope)
    case = _case(best, trial, turned)
    step, bracketed, guarded = case(best, other, trial, bracketed, low, high)
    if trial.value > best.value:
        other = trial
    else:
        other, best = best if turned < 0 else other, trial
    step = max(low, min(high, step))
    if bracketed and guarded:
        limit = best.step + _SHRINKING * (other.step - best.step)
        step = min(limit, step) if other.step > best.step else max(limit, step)
    return best, other, step, bracketed


def _case(best, trial, turned):
    if trial.value > best.value:
        return _higher
    if turned <= 0:
        return _turned
    return _flatter if abs(trial.slope) < abs(best.slope) else _steeper


def _higher(best, _, trial, bracketed, low, high):
    """The value rose: the minimum lies before the trial."""
    theta, gamma = _cubic(best, trial)
    gamma = -gamma if trial.step < best.step else gamma
    way = trial.step - best.step
    ratio = (gamma - best.slope + theta) / (gamma - best.slope + gamma + trial.slope)
    cubic = best.step + ratio * way
    secant = (best.value - trial.value) / way + best.slope
    quadratic = best.step + best.slope / secant / 2 * way
    nearer = abs(cubic - best.step) < abs(quadratic - best.step)
    return cubic if nearer else cubic + (quadratic - cubic) / 2, True, True


def _turned(best, _, trial, bracketed, low, high):
    """The slope changed its sign: the minimum lies between."""
    theta, gamma = _cubic(best, trial)
    gamma = -gamma if trial.step > best.step else gamma
    way = best.step - trial.step
    ratio = (gamma - trial.slope + theta) / (gamma - trial.slope + gamma + best.slope)
    cubic = trial.step + ratio * way
    secant = _secant(best, trial)
    farther = abs(cubic - trial.step) > abs(secant - trial.step)
    return cubic if farther else secant, True, False


def _flatter(best, _, trial, bracketed, low, high):
    """The slope shrank: the minimum lies ahead, not far."""
    theta, gamma = _cubic(best, trial, at_least=0.0)
    gamma = -gamma if trial.step > best.step else gamma
    ratio = (gamma - trial.slope + theta) / (gamma + (best.slope - trial.slope) + gamma)
    if ratio < 0 and abs(gamma) <= _ZERO:
        cubic = trial.step + ratio * (best.step - trial.step)
    else:
        cubic = high if trial.step > best.step else low
    secant = _secant(best, trial)
    to_cubic, to_secant = abs(trial.step - cubic), abs(trial.step - secant)
    wins = to_cubic < to_secant if bracketed else to_cubic > to_secant
    return cubic if wins else secant, bracketed, True


def _steeper(best, other, trial, bracketed, low, high):
    """The slope grew: the minimum lies ahead, nobody knows how far."""
    if not bracketed:
        return high if trial.step > best.step else low, bracketed, False
    theta, gamma = _cubic(trial, other)
    gamma = -gamma if trial.step > other.step else gamma
    ratio = (gamma - trial.slope + theta) / (gamma - trial.slope + gamma + other.slope)
    return trial.step + ratio * (other.step - trial.step), bracketed, False


def _cubic(left, right, at_least=None):
    """Return theta and gamma, with which the minimum of the cubic through two trials is found."""
    slopes = left.slope + right.slope
    theta = 3 * (left.value - right.value) / (right.step - left.step) + slopes
    scale = max(abs(theta), abs(left.slope), abs(right.slope))
    inside = (theta / scale) ** 2 - (left.slope / scale) * (right.slope / scale)
    if at_least is not None:
        inside = max(at_least, inside)
    return theta, scale * np.sqrt(inside)


def _secant(best, trial):
    return trial.step + trial.slope / (trial.slope - best.slope) * (best.step - trial.step)


def cubic_minimum(length, values, slopes):
    """Return where between two points a cubic through both is lowest.

    Parameters
    ----------
    length : float
        Distance of the points.
    values, slopes : (float, float)
        Of the function at both; the slopes point down from both into the interval.

    Returns
    -------
    float
        Distance from the first point.
    """
    (first, last), (down, up) = values, (slopes[0] * length, slopes[1] * length)
    a, b = -2 * (last - first) + up + down, 3 * (last - first) - up - 2 * down
    left, right = 0.0, 1.0
    lowest, place = min(first, last), 0.0 if first < last else 1.0
    for _ in range(32):
        middle = (left + right) / 2
        value = first + down * middle + b * middle**2 + a * middle**3
        if value < lowest:
            lowest, place = value, middle
        if right - left < 1e-6:
            break
        if down + 2 * b * middle + 3 * a * middle**2 > 0:
            right = middle
        else:
            left = middle
    return length * place
