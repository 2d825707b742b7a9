"""Every operation, by family. The user's function stands beside its operation, in the same file."""

from . import (
    along,
    choose,
    compare,
    contract,
    counting,
    diagonals,
    elementwise,
    exponential,
    index,
    join,
    matrices,
    norms,
    order,
    products,
    reduce,
    rounding,
    scan,
    shape,
    statistics,
    trigonometric,
)  # fmt: skip
from .activation import log_softmax, softmax
from .along import *  # noqa: F403
from .choose import *  # noqa: F403
from .classes import cross_entropy
from .compare import *  # noqa: F403
from .contract import *  # noqa: F403
from .counting import *  # noqa: F403
from .diagonals import *  # noqa: F403
from .elementwise import *  # noqa: F403
from .exponential import *  # noqa: F403
from .index import *  # noqa: F403
from .join import *  # noqa: F403
from .linalg import matmul
from .loss import mse_loss
from .matrices import *  # noqa: F403
from .norms import *  # noqa: F403
from .order import *  # noqa: F403
from .products import *  # noqa: F403
from .reduce import *  # noqa: F403
from .rounding import *  # noqa: F403
from .scan import *  # noqa: F403
from .shape import *  # noqa: F403
from .statistics import *  # noqa: F403
from .trigonometric import *  # noqa: F403

__all__ = ["cross_entropy", "log_softmax", "matmul", "mse_loss", "softmax"]
__all__ += along.__all__
__all__ += choose.__all__
__all__ += compare.__all__
__all__ += contract.__all__
__all__ += counting.__all__
__all__ += diagonals.__all__
__all__ += elementwise.__all__
__all__ += exponential.__all__
__all__ += index.__all__
__all__ += join.__all__
__all__ += matrices.__all__
__all__ += norms.__all__
__all__ += order.__all__
__all__ += products.__all__
__all__ += reduce.__all__
__all__ += rounding.__all__
__all__ += scan.__all__
__all__ += shape.__all__
__all__ += statistics.__all__
__all__ += trigonometric.__all__
