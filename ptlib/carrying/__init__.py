"""From model to model: relative representations, the closed form, the search, and every baseline."""

from ptlib.carrying.anchors import Anchors
from ptlib.carrying.by_maps import Copy, Discretise, LinearMap, NeuralProjector, Procrustes
from ptlib.carrying.by_relations import ClosedForm, GradientSearch, Method, Source, Stepwise
from ptlib.carrying.carry import transfer, transfer_many, transfer_steps
from ptlib.carrying.least_squares import closed_form
from ptlib.carrying.representations import agreement, objective, relative
from ptlib.carrying.search import gradient_search
from ptlib.carrying.table import transfer_table

__all__ = [
    "Anchors",
    "ClosedForm",
    "Copy",
    "Discretise",
    "GradientSearch",
    "LinearMap",
    "Method",
    "NeuralProjector",
    "Procrustes",
    "Source",
    "Stepwise",
    "agreement",
    "closed_form",
    "gradient_search",
    "objective",
    "relative",
    "transfer",
    "transfer_many",
    "transfer_steps",
    "transfer_table",
]
