# cython: language_level=3, freethreading_compatible=True
"""The compiled twin of `_kernel_py.py`, which specifies what is here."""

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from contextvars import copy_context
from weakref import getweakrefcount

from cpython.object cimport PyObject, PyObject_RichCompareBool, Py_EQ
from cpython.ref cimport Py_DECREF

from ._stage import Stage

cdef extern from "Python.h":
    int PyIter_Send(object, object, PyObject **) except -1
    int PyContext_Enter(object) except -1
    int PyContext_Exit(object) except -1
    Py_ssize_t Py_REFCNT(PyObject *)


cdef extern from *:
    """
    static PyObject *init_name, *no_arguments;

    /* Call a class as type.__call__ does. */
    static PyObject *call_slowly(
        PyObject *cls, PyObject *const *args, Py_ssize_t count, PyObject *names)
    {
        PyObject *result = NULL, *keywords = NULL, *positional = PyTuple_New(count);
        Py_ssize_t i, named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
        if (positional == NULL)
            return NULL;
        for (i = 0; i < count; i++) {
            Py_INCREF(args[i]);
            PyTuple_SET_ITEM(positional, i, args[i]);
        }
        if (named != 0 && (keywords = PyDict_New()) == NULL)
            goto end;
        for (i = 0; i < named; i++)
            if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), args[count + i]) < 0)
                goto end;
        result = PyType_Type.tp_call(cls, positional, keywords);
    end:
        Py_DECREF(positional);
        Py_XDECREF(keywords);
        return result;
    }

    /* The same for a class that has its __new__ from object, and its __init__ in Python. */
    static PyObject *call_quickly(
        PyObject *cls, PyObject *const *args, size_t flagged, PyObject *names)
    {
        Py_ssize_t count = PyVectorcall_NARGS(flagged);
        PyObject *init, *self, *kept, *result, **all;
        init = _PyType_Lookup((PyTypeObject *)cls, init_name);
        if (init == NULL || !PyFunction_Check(init) || !(flagged & PY_VECTORCALL_ARGUMENTS_OFFSET))
            return call_slowly(cls, args, count, names);
        Py_INCREF(init);
        self = PyBaseObject_Type.tp_new((PyTypeObject *)cls, no_arguments, NULL);
        if (self == NULL) {
            Py_DECREF(init);
            return NULL;
        }
        /* The place before the arguments is lent by the caller. */
        all = (PyObject **)args - 1;
        kept = all[0];
        all[0] = self;
        result = PyObject_Vectorcall(init, all, count + 1, names);
        all[0] = kept;
        Py_DECREF(init);
        if (result != NULL && result != Py_None)
            PyErr_SetString(PyExc_TypeError, "__init__() should return None");
        if (result != Py_None)
            Py_CLEAR(self);
        Py_XDECREF(result);
        return self;
    }

    static void be_quick(PyObject *cls)
    {
    #ifndef Py_GIL_DISABLED  /* where what is looked up might go away at once */
        if (((PyTypeObject *)cls)->tp_new == PyBaseObject_Type.tp_new)
            ((PyTypeObject *)cls)->tp_vectorcall = call_quickly;
    #endif
    }
    """
    PyObject *init_name
    PyObject *no_arguments
    void be_quick(object)


_init, _nothing = "__init__", ()
init_name = <PyObject *>_init
no_arguments = <PyObject *>_nothing


def quick_calls(cls):
    """Make the calls of a class quicker, and return it."""
    be_quick(cls)
    return cls


cdef class StandingStarter:
    """Starts coroutines on a `Stage`, and in an ordinary task while that is not free."""

    cdef object _loop, _own_context, _stage, _task, _context, _called
    cdef Py_ssize_t _references
    # Whether the stage is known to be free, and whether work is on it.
    cdef bint _free, _busy, _closed
    cdef readonly Py_ssize_t started

    def __init__(self, loop):
        self._loop = loop
        self._own_context = copy_context()
        self._closed = False
        self.started = 0
        self._take_stage()

    cdef _take_stage(self):
        self._stage = stage = Stage(self._loop, self._own_context)
        self._task = stage.task
        self._context = stage.context
        self._called = stage.called
        #: Those to the task while no work is on it.
        self._references = 0
        self._free = self._busy = False

    def start(self, work):
        """Run *work* until it waits; return its task, or None when it has ended."""
        cdef object loop = self._loop, stage = self._stage, task = self._task, waits_for
        cdef PyObject *result = NULL
        cdef int waits
        if not self._free and (self._busy or not stage.free):
            self.started += 1
            return loop.create_task(work, context=self._own_context.copy())
        if not self._references:
            self._references = Py_REFCNT(<PyObject *>task)
        try:
            _enter_task(loop, task)
        except RuntimeError:
            return self._start_within(work)
        self.started += 1
        self._free = False
        self._busy = True
        try:
            PyContext_Enter(self._context)
            try:
                waits = PyIter_Send(work, None, &result)
            finally:
                PyContext_Exit(self._context)
            waits_for = <object>result
            Py_DECREF(waits_for)
            if waits:
                stage.go_on(work, waits_for)
        except asyncio.CancelledError:
            _leave_task(loop, task)
            self._replace(stage)
            return None
        except:
            _leave_task(loop, task)
            self._replace(stage)
            raise
        _leave_task(loop, task)
        if waits:
            self._replace(stage)
            return task
        # The coroutine left nothing at the task or in its context.
        if (
            Py_REFCNT(<PyObject *>task) == self._references
            and getweakrefcount(task) == 1  # the loop's own
            and not task._callbacks
            and not self._called.done()
            and PyObject_RichCompareBool(self._context, self._own_context, Py_EQ)
        ):
            self._free = True
            self._busy = False
        else:
            self._replace(stage)
        return None

    def _start_within(self, work):
        """Start *work* while another task is running, which has called what called this."""
        outer = asyncio.current_task(self._loop)
        _leave_task(self._loop, outer)
        try:
            return self.start(work)
        finally:
            _enter_task(self._loop, outer)

    cdef _replace(self, stage):
        """Let a stage end, or go on with its work, and have another one stand by."""
        stage.close()
        if not self._closed:
            self._take_stage()

    def close(self):
        """Leave no task behind."""
        self._closed = True
        self._free = False
        self._stage.close()
