"""The network as work: ``compile_plan`` turns a graph into tapes over one arena."""

from nnctl.plan.compile import compile_plan
from nnctl.plan.evaluation import Evaluation
from nnctl.plan.plan import Plan, StepLog

__all__ = ["Evaluation", "Plan", "StepLog", "compile_plan"]
