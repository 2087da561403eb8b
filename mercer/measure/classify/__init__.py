"""True and predicted labels in, one number out: precision, recall, F1, accuracy, AUC; one a file."""

from mercer.measure.classify.accuracy import accuracy
from mercer.measure.classify.auc import auc
from mercer.measure.classify.f1 import f1
from mercer.measure.classify.precision import precision
from mercer.measure.classify.recall import recall

__all__ = ["accuracy", "auc", "f1", "precision", "recall"]
